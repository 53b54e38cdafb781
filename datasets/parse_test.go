package datasets

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestGroupStamps(t *testing.T) {
	names := []string{
		"town/signs/xing.png", "town/signs/xing.txt", "town/signs/xing_ped.png", "town/signs/xing_ped.txt",
		"town/signs/xing_ped.ogg", "town/signs/xing_ped_desc.ogg", "town/signs/xing_ped_desc_fr.ogg", "town/signs/xing_ped_mirror.png",
		"town/signs/xing_desc_el.ogg", "town/signs/xing.dat", "town/signs/orphan_desc_el.ogg", "town/signs/gift.png",
		"plants/rose.svg", "plants/rose.txt", "plants/rose_desc.wav", "plants/rose_desc.ogg",
	}
	slices.Sort(names)
	stems, files := groupStamps(names)
	if want := []string{"plants/rose", "town/signs/xing", "town/signs/xing_ped"}; !slices.Equal(stems, want) {
		t.Fatalf("stems %q, want %q", stems, want)
	}
	ped := files["town/signs/xing_ped"]
	want := stampFiles{picture: "town/signs/xing_ped.png", text: "town/signs/xing_ped.txt", sound: "town/signs/xing_ped.ogg", speech: "town/signs/xing_ped_desc.ogg"}
	if *ped != want {
		t.Errorf("xing_ped is %+v, want %+v", *ped, want)
	}
	xing := files["town/signs/xing"]
	if xing.sound != "" || xing.speech != "" || xing.flags != "town/signs/xing.dat" {
		t.Errorf("xing is %+v: it took what belongs to others", *xing)
	}
	rose := files["plants/rose"]
	if rose.drawing != "plants/rose.svg" || rose.speech != "plants/rose_desc.ogg" {
		t.Errorf("rose is %+v", *rose)
	}
}

func TestParseStampText(t *testing.T) {
	text, err := parseStampText([]byte("\ufeffA red hat.\r\nde.utf8=Ein roter Hut.\nnonsense\n=empty\nfr.utf8=Un chapeau rouge.\n"))
	if err != nil {
		t.Fatal(err)
	}
	if text.english != "A red hat." || len(text.translations) != 2 || text.translations[1] != (translation{"fr", "Un chapeau rouge."}) {
		t.Errorf("%+v", text)
	}
	if _, err := parseStampText([]byte("a\xffb")); err == nil {
		t.Error("text that is not UTF-8 was accepted")
	}
}

func TestParseStampFlags(t *testing.T) {
	flags := parseStampFlags([]byte("NoMirror\n\nscale 34%\n"))
	if !flags["nomirror"] || !flags["scale 34%"] || flags["noflip"] {
		t.Errorf("%v", flags)
	}
}

func TestParseEmojiList(t *testing.T) {
	list, err := parseEmojiList([]byte(`[
		{"label":"regional indicator A","hexcode":"1F1E6"},
		{"label":"desert island","hexcode":"1F3DD","group":5,"subgroup":50,"tags":["desert"]},
		{"label":"flag: Wales","hexcode":"1F3F4-E0067","group":9},
		{"label":"red hair","hexcode":"1F9B0","group":2},
		{"label":"keycap: 1","hexcode":"0031-FE0F-20E3","group":8},
		{"label":"grinning face","hexcode":"1F600","group":0}]`))
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, e := range list {
		labels = append(labels, e.Label)
	}
	if want := []string{"desert island", "grinning face"}; !slices.Equal(labels, want) {
		t.Errorf("kept %q, want %q", labels, want)
	}
	if _, err := parseEmojiList([]byte(`{"label":1}`)); err == nil {
		t.Error("an object was accepted as a list")
	}
}

func TestEmojiConcept(t *testing.T) {
	for code, want := range map[string]string{"1f3dd-fe0f": "1F3DD", "1F441-FE0F-200D-1F5E8-FE0F": "1F441-200D-1F5E8", "00a9-fe0f": "A9", "A9": "A9"} {
		if got := emojiConcept(code); got != want {
			t.Errorf("emojiConcept(%q) = %q, want %q", code, got, want)
		}
	}
}

const clipArt = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><title>not this</title><metadata>
<rdf:RDF xmlns:cc="c" xmlns:dc="d" xmlns:rdf="r"><cc:Work rdf:about=""><dc:title>Baseball Bat</dc:title>
<dc:subject><rdf:Bag><rdf:li>bat</rdf:li><rdf:li>sports</rdf:li></rdf:Bag></dc:subject>
<dc:publisher><cc:Agent><dc:title>Open Clip Art</dc:title></cc:Agent></dc:publisher></cc:Work></rdf:RDF></metadata><g/></svg>`

func TestParseClipArtWork(t *testing.T) {
	work, err := parseClipArtWork(strings.NewReader(clipArt))
	if err != nil || work.Title != "Baseball Bat" || !slices.Equal(work.Subjects, []string{"bat", "sports"}) {
		t.Errorf("%+v, %v", work, err)
	}
	for _, broken := range []string{"", "<svg>", "<svg><metadata><Work><title>x", "no xml"} {
		if work, err := parseClipArtWork(strings.NewReader(broken)); err != nil || work.Title != "" {
			t.Errorf("%q gives %+v, %v", broken, work, err)
		}
	}
}

func TestCleanTitle(t *testing.T) {
	words := wordList{"baseball": true, "bat": true, "run": true, "dog": true, "red": true, "hat": true, "cone": true, "ice": true, "cream": true}
	for title, want := range map[string]string{
		"Baseball Bat": "baseball bat", "RedHat": "red hat", "red_hat_03": "red hat", "Running dogs": "running dogs",
		"untitled": "", "lucertola": "", "dog 05 red 07 hat": "", "ice cream cone (B and W)": "ice cream cone",
		"Red hat, dog": "", "x": "", "the": "", "red hat on a dog of the bat": "", "flat_cake_bw": "",
	} {
		if got := cleanTitle(title, words); got != want {
			t.Errorf("cleanTitle(%q) = %q, want %q", title, got, want)
		}
	}
}

func TestWithoutSeries(t *testing.T) {
	var samples []*Sample
	for range maxSeries + 1 {
		samples = append(samples, &Sample{Concept: "card"})
	}
	samples = append(samples, &Sample{Concept: "dog"})
	if kept := withoutSeries(samples, maxSeries); len(kept) != 1 || kept[0].Concept != "dog" {
		t.Errorf("kept %d samples", len(kept))
	}
}

func TestParseGloss(t *testing.T) {
	g, err := parseGloss(`02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 001 @ 02083346 n 0000 | a member of the genus Canis; occurs in many breeds; "the dog barked all night"  `)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.words, []string{"dog", "domestic dog", "Canis familiaris"}) || !g.concrete ||
		g.definition != "a member of the genus Canis; occurs in many breeds" || !slices.Equal(g.examples, []string{"the dog barked all night"}) {
		t.Errorf("%+v", g)
	}
	if text := glossText(g); text != "dog , a member of the genus canis" {
		t.Errorf("text %q", text)
	}
	for _, broken := range []string{"", "x | y", "02084071 05 n zz dog 0 000 | x", "02084071 05 n ff dog 0 000 | x"} {
		if _, err := parseGloss(broken); err == nil {
			t.Errorf("%q was accepted", broken)
		}
	}
}

func TestParseQMLItems(t *testing.T) {
	items := parseQMLItems(`[ { "image": "qrc:/gcompris/src/activities/a/resource/harp.svg", "text": qsTr("Find the harp"),
		"audio": ApplicationInfo.getAudioFilePath("qrc:/x/harp.$CA") }, { "x": 0.5, "title": qsTr("The \"Cow\"") },
		{"audio": GCompris.ApplicationInfo.getAudioFilePath("qrc:/x/cow.$CA")} ]`)
	if len(items) != 3 || items[0]["text"] != "Find the harp" || items[0]["audio"] != "qrc:/x/harp.$CA" || items[1]["title"] != `The "Cow"` {
		t.Errorf("%v", items)
	}
}

func FuzzStampText(f *testing.F) {
	f.Add([]byte("A red hat.\nde.utf8=Ein roter Hut.\n"))
	f.Add([]byte("\ufeff\n\n="))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := parseStampText(data)
		if err == nil && len(text.english) > len(data) {
			t.Error("more came out than went in")
		}
		parseStampFlags(data)
	})
}

func FuzzEmojiList(f *testing.F) {
	f.Add([]byte(`[{"label":"desert island","hexcode":"1F3DD","group":5,"tags":["desert"],"skins":[{"label":"x"}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseEmojiList(data)
		if err != nil {
			return
		}
		for _, e := range list {
			if e.Group == nil || e.Label == "" {
				t.Errorf("kept %+v", e)
			}
			emojiConcept(e.Hexcode)
		}
	})
}

func FuzzClipArtWork(f *testing.F) {
	f.Add([]byte(clipArt))
	f.Fuzz(func(t *testing.T, data []byte) {
		work, err := parseClipArtWork(bytes.NewReader(data))
		if err != nil {
			t.Error(err)
		}
		cleanTitle(work.Title, wordList{"bat": true})
	})
}

func FuzzGloss(f *testing.F) {
	f.Add(`02084071 05 n 01 dog 0 000 | a dog; "it barked"`)
	f.Fuzz(func(t *testing.T, line string) {
		if g, err := parseGloss(line); err == nil {
			glossText(g)
		}
		parseQMLItems(line)
	})
}
