package datasets

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLeakRule(t *testing.T) {
	red, green := color.NRGBA{220, 30, 30, 255}, color.NRGBA{30, 160, 30, 255}
	cat, island, bag := pictured("google/1F408", "emoji-google", "1F408", "cat"), pictured("google/1F3DD", "emoji-google", "1F3DD", "desert island"), pictured("stamps/bag", "stamps", "bag", "a bag of rice")
	cat.Component, cat.Split = "c0", Train
	island.Component, island.Split = "c1", Test
	bag.Component, bag.Split = "c2", Val
	known := []*thumb{thumbOf(20, red), thumbOf(10, red), nil}
	for _, c := range []struct {
		name             string
		concept, caption string
		thumb            *thumb
		want             bool
	}{
		{"another thing", "lamp", "lamp", thumbOf(25, green), true},
		{"a caption of training", "cat", "cats", thumbOf(25, green), true},
		{"a caption of test", "x", "desert islands", thumbOf(25, green), false},
		{"an emoji of test by another name", "1F3DD", "uninhabited island", thumbOf(25, green), false},
		{"the words of val in another order", "rice bag", "rice bag", thumbOf(25, green), false},
		{"the picture of test", "lamp", "lamp", thumbOf(10.1, red), false},
		{"the picture of training", "lamp", "lamp", thumbOf(20.1, red), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := newLeakRule([]*Sample{cat, island, bag}, known, nil)
			s := pictured("icons/x", "icons", c.concept, c.caption)
			s.Extra = true
			if got := rule.admitPicture(s, c.thumb); got != c.want {
				t.Fatalf("admitted: %v, want %v", got, c.want)
			}
			if c.want && (s.Split != Train || s.Component == "") {
				t.Errorf("it is in %s, component %q", s.Split, s.Component)
			}
			if c.caption == "cats" && s.Component != cat.Component {
				t.Errorf("it is in %s, not with the cat", s.Component)
			}
			if c.want && rule.admitPicture(s, c.thumb) {
				t.Error("the same picture was admitted twice")
			}
		})
	}
}

func TestExtrasAreAlwaysTrain(t *testing.T) {
	for i := range 100 {
		s := &Sample{Extra: true}
		if s.assign(componentName(fmt.Sprint(i))); s.Split != Train {
			t.Fatalf("an extra is in %s", s.Split)
		}
	}
}

// Nobody who asks for the captioned pictures gets extras.
func TestExtrasStayOutOfSets(t *testing.T) {
	for _, m := range setMakers {
		names := append(append([]string{}, m.sources...), m.anyOf...)
		for _, n := range names {
			s, err := sourceByName(n)
			if err != nil {
				t.Fatal(err)
			}
			if s.TrainOnly != strings.HasPrefix(m.name, "extra") {
				t.Errorf("set %s takes source %s", m.name, n)
			}
		}
		if len(names) == 0 {
			t.Errorf("set %s takes everything", m.name)
		}
	}
	for i, s := range sources[1:] {
		if sources[i].TrainOnly && !s.TrainOnly {
			t.Errorf("%s comes after a source of extras", s.Name)
		}
	}
}

// The coarse bound in similar must not change what near-duplicates are.
func TestSimilarIsExact(t *testing.T) {
	var thumbs []*thumb
	for i := range 60 {
		thumbs = append(thumbs, thumbOf(5+float64(i)/3, color.NRGBA{uint8(4 * i), 90, 10, 255}))
	}
	alike := 0
	for _, a := range thumbs {
		for _, b := range thumbs {
			want := dot(a.grey[:], b.grey[:]) > greyThreshold && dot(a.colour[:], b.colour[:]) > colourThreshold
			if similar(a, b) != want {
				t.Fatalf("similar says %v", !want)
			}
			if want {
				alike++
			}
		}
	}
	if alike <= len(thumbs) || alike == len(thumbs)*len(thumbs) {
		t.Errorf("%d pairs are alike", alike)
	}
}

func testNaming() *naming {
	words, nouns := wordList{}, nounSenses{}
	for _, w := range strings.Fields("cat red hat engine fire kick clock alarm battery of bag rice idea") {
		words[w] = true
	}
	for noun, files := range map[string]string{"cat": "05", "hat": "06", "engine": "06", "fire_engine": "06", "kick": "04", "clock": "06", "alarm_clock": "06", "battery": "06", "bag": "06", "rice": "13", "idea": "09"} {
		nouns[noun] = []string{files}
	}
	return &naming{words, nouns, map[string]string{"feline": "1F408", "redhat": "1F452"}}
}

func TestIconCaption(t *testing.T) {
	n := testNaming()
	for name, want := range map[string]string{
		"cat": "cat", "red-hat": "red hat", "cat-2": "cat", "cat-two": "cat", "fire-engine": "fire engine", "bag-of-rice": "bag of rice",
		"cat-off": "", "arrow-hat": "", "red-kick": "", "wug": "", "idea": "", "of-cat": "", "cat-of": "", "": "", "red-red-red-hat": "",
	} {
		if got := n.iconCaption(name); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
	if !n.overlaid("battery clock") || n.overlaid("alarm clock") || n.overlaid("clock") {
		t.Error("a clock in the corner is not told from an alarm clock")
	}
	if n.concept("red hat") != "1F452" || n.concept("cats") != "cat" {
		t.Errorf("concepts %s, %s", n.concept("red hat"), n.concept("cats"))
	}
}

func TestOpenMojiCaption(t *testing.T) {
	n := testNaming()
	for _, c := range []struct {
		entry openMojiEntry
		want  string
	}{
		{openMojiEntry{"E0C0", "extras-openmoji", "food-drink", "red hat"}, "red hat"},
		{openMojiEntry{"E0C1", "extras-openmoji", "brand", "red hat"}, ""},
		{openMojiEntry{"1F408", "animals-nature", "animals-nature", "cat"}, ""},
		{openMojiEntry{"E0C2", "extras-openmoji", "objects", "wug"}, ""},
		{openMojiEntry{"../E0C2", "extras-openmoji", "objects", "cat"}, ""},
	} {
		if got := n.openMojiCaption(c.entry); got != c.want {
			t.Errorf("%+v is captioned %q, not %q", c.entry, got, c.want)
		}
	}
}

func TestIconBases(t *testing.T) {
	for _, c := range []struct {
		base func(string) (string, bool)
		name string
		want string
	}{
		{only("-fill"), "cat-fill", "cat"}, {only("-fill"), "cat", ""}, {without("-outline"), "cat-outline", ""}, {without("-outline"), "cat", "cat"},
		{sized, "cat-24", "cat"}, {sized, "cat", "cat"},
	} {
		got, ok := c.base(c.name)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q gives %q, %v, want %q", c.name, got, ok, c.want)
		}
	}
}

func TestLooseCaption(t *testing.T) {
	n := testNaming()
	for _, c := range []struct {
		stem, title string
		subjects    []string
		want        string
	}{
		{"animals/cat_wugs_01", "", []string{"cat", "animal"}, "cat"},
		{"clothes/red_hat_jdoe_01", "New red hat 5", nil, "red hat"},
		{"unsorted/cat_01", "", nil, ""}, // nothing confirms it
		{"unsorted/idea", "idea", []string{"idea"}, ""},
	} {
		if got := n.looseCaption(clipArtFile{stem: c.stem, work: clipArtWork{c.title, c.subjects}}); got != c.want {
			t.Errorf("%s gives %q, want %q", c.stem, got, c.want)
		}
	}
}

// fakeClipArt adds packages for the sources openclipart and openclipart-more
// to a cache: an owl with a title, a lamp and an owl without.
func fakeClipArt(t *testing.T, cache *Cache) {
	t.Helper()
	dir := t.TempDir()
	const root = "./usr/share/openclipart/"
	svg := func(title, subject string) []byte {
		return []byte(`<svg><metadata><RDF><Work><title>` + title + `</title><subject><Bag><li>` + subject + `</li></Bag></subject></Work></RDF></metadata></svg>`)
	}
	writeDeb(t, dir, "openclipart-png", map[string][]byte{
		root + "png/birds/owl.png": patternPNG(t, 30), root + "png/tools/lamp_x.png": patternPNG(t, 31), root + "png/tools/lamp_y.png": patternPNG(t, 31),
		root + "png/birds/hen_x.png": patternPNG(t, 32), root + "png/birds/owl_x.png": patternPNG(t, 33),
	})
	writeDeb(t, dir, "openclipart-svg", map[string][]byte{
		root + "svg/birds/owl.svg": svg("owl", "bird"), root + "svg/tools/lamp_x.svg": svg("", "lamp"), root + "svg/tools/lamp_y.svg": svg("", "lamp"),
		root + "svg/birds/hen_x.svg": svg("", "hen"), root + "svg/birds/owl_x.svg": svg("", "owl"),
	})
	const index = "  1 licence\nowl n 1 0 1 0 00000001  \nlamp n 1 0 1 0 00000002  \nhen n 1 0 1 0 00000003  \n"
	const data = "  1 licence\n00000001 05 n 01 owl 0 000 | a bird  \n00000002 06 n 01 lamp 0 000 | a light  \n00000003 05 n 01 hen 0 000 | a bird  \n"
	const wordnet = "./usr/share/wordnet/"
	writeDeb(t, dir, "wordnet-base", map[string][]byte{
		wordnet + "index.noun": []byte(index), wordnet + "data.noun": []byte(data), wordnet + "index.verb": nil, wordnet + "index.adj": nil, wordnet + "index.adv": nil,
	})
	shortcodes := map[string][]byte{}
	for name, body := range readFolder(t, cache.path("emojibase-data")) {
		shortcodes[name] = body
	}
	for _, f := range shortcodeFiles {
		shortcodes["package/en/shortcodes/"+f+".json"] = []byte("{}")
	}
	writeTGZ(t, dir, "emojibase-data", shortcodes)
	for _, name := range []string{"openclipart-png", "openclipart-svg", "wordnet-base", "emojibase-data"} {
		if _, err := cache.Pull(context.Background(), name, PullOptions{From: dir, Again: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// readFolder reads the files of an unpacked package.
func readFolder(t *testing.T, root string) map[string][]byte {
	t.Helper()
	names, err := filesBelow(root)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, n := range names {
		body, err := os.ReadFile(filepath.Join(root, n))
		if err != nil {
			t.Fatal(err)
		}
		if n != installedName {
			files[n] = body
		}
	}
	return files
}

// Extras come out of an export marked, in Train, without repeated pictures
// and without held-out captions.
func TestExportExtras(t *testing.T) {
	cache := fakeCache(t)
	fakeClipArt(t, cache)
	rows := map[string]PictureRow{}
	dir := t.TempDir()
	report, err := cache.Export(dir, ExportOptions{Size: 16, Resplit: true})
	if err != nil {
		t.Fatal(err)
	}
	test := map[string]bool{}
	for _, row := range readLines[PictureRow](t, filepath.Join(dir, "pictures.jsonl")) {
		rows[row.ID] = row
		if row.Split != Train {
			test[NormalCaption(row.Captions[0])] = true
		}
	}
	extras := 0
	for id, row := range rows {
		if row.Extra != strings.HasPrefix(id, "openclipart-more/") {
			t.Errorf("%s is an extra: %v", id, row.Extra)
		}
		if !row.Extra {
			continue
		}
		extras++
		if row.Split != Train || test[NormalCaption(row.Captions[0])] {
			t.Errorf("%+v leaks", row)
		}
	}
	if _, ok := rows["openclipart-more/tools/lamp_x"]; !ok {
		t.Error("the lamp is missing")
	}
	if report.Refused[leakPicture] != 1 || extras+report.Refused[leakConcept] != 3 || report.Extras != extras {
		t.Errorf("%d extras, refused %v", extras, report.Refused)
	}
	pixels, err := os.Stat(filepath.Join(dir, "pictures.npy"))
	if err != nil || pixels.Size() != int64(npyHeader+len(rows)*16*16*4) {
		t.Errorf("%d bytes for %d rows, %v", pixels.Size(), len(rows), err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "splits.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	known, err := readSplitTable(table)
	if err != nil || known["openclipart-more/tools/lamp_x"] == "" || known["openclipart-more/tools/lamp_y"] != "" {
		t.Errorf("the table has %v, %v", known, err)
	}
	// The program's table does not know these extras.
	plain := t.TempDir()
	if report, err = cache.Export(plain, ExportOptions{Size: 16}); err != nil || report.Extras != 0 {
		t.Errorf("%d unknown extras were exported, %v", report.Extras, err)
	}
}

// Scores over drawing styles must not touch the style that is held out.
func TestDrawnSourcesLeaveTheHeldOutStyleOut(t *testing.T) {
	if len(drawnSources) != len(emojiSources)-1 || slices.Contains(drawnSources, "emoji-twitter") {
		t.Errorf("the styles are %v", drawnSources)
	}
}
