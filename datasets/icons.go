package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"github.com/connectomewire/wire/internal/words"
)

// extraSources are the sources of extras, see [Sample.Extra].
func extraSources() []Source {
	var list []Source
	for _, e := range []struct{ name, about string }{
		{"emojione-v1", "emoji in the style of EmojiOne 1"},
		{"streamline-emojis", "emoji in Streamline's style"},
	} {
		pkg := "@iconify-json/" + e.name
		list = append(list, Source{Name: e.name, About: e.about + "; for training only", TrainOnly: true,
			Packages: []string{pkg, "emojibase-data", rendererPackage}, read: iconReader(e.name, pkg)})
	}
	for _, i := range iconCollections {
		list = append(list, Source{Name: i.name, About: i.about + "; for training only", TrainOnly: true,
			Packages: []string{i.pkg(), "emojibase-data", "wordnet-base", rendererPackage}, read: i.read})
	}
	list = append(list, Source{Name: "openmoji-extras", About: "what OpenMoji draws beyond Unicode; for training only", TrainOnly: true,
		Packages: []string{"openmoji", "emojibase-data", "wordnet-base", rendererPackage}, read: readOpenMojiExtras})
	list = append(list, Source{Name: "openclipart-more", About: "clip art with a poor title; for training only", TrainOnly: true,
		Packages: []string{"openclipart-png", "openclipart-svg", "emojibase-data", "wordnet-base"}, read: readMoreClipArt})
	return append(list, effectExtras()...)
}

// iconCollection is a collection of named icons in Iconify's format.
type iconCollection struct {
	name, about string
	// base gives the name without what marks the variant to use, or false
	// for the other variants of the icon; nil keeps all.
	base func(name string) (string, bool)
	// overlays says that many names are those of a thing and of a small sign
	// in its corner, such as "battery-heart".
	overlays bool
}

var iconCollections = []iconCollection{
	{"game-icons", "silhouettes for games", nil, false},
	{"icon-park", "two-coloured icons", nil, true},
	{"streamline-ultimate-color", "coloured icons", nil, true},
	{"streamline-kameleon-color", "coloured icons in a disc", without("-duo"), true},
	{"streamline-plump-color", "coloured icons with thick lines", without("-flat"), true},
	{"flat-color-icons", "flat coloured icons", nil, true},
	{"fluent-color", "coloured icons with gradients", sized, true},
	{"healthicons", "silhouettes about health", without("-outline", "-negative", "-24px"), false},
	{"ph", "silhouettes", only("-fill"), true},
	{"mdi", "silhouettes", without("-outline", "-off"), true},
	{"fa6-solid", "silhouettes", nil, true},
	{"maki", "silhouettes for maps", without("-11", "-15", "-stroked"), false},
	{"temaki", "silhouettes for maps", nil, false},
	{"pinhead", "silhouettes for maps", nil, false},
	{"streamline-color", "coloured icons", only("-flat"), true},
	{"streamline-flex-color", "coloured icons with round corners", only("-flat"), true},
	{"streamline-sharp-color", "coloured icons with sharp corners", only("-flat"), true},
	{"streamline-freehand-color", "coloured icons drawn by hand", nil, true},
	{"streamline-cyber-color", "coloured icons on a grid", nil, true},
	{"streamline-stickies-color", "coloured stickers", without("-duo"), true},
	{"solar", "two-toned icons", only("-bold-duotone"), true},
	{"material-symbols", "silhouettes", without("-outline", "-rounded", "-sharp"), true},
	{"tabler", "outlines", without("-filled", "-off"), true},
	{"lucide", "outlines", without("-off"), true},
	{"lucide-lab", "outlines", nil, true},
}

func (i iconCollection) pkg() string { return "@iconify-json/" + i.name }

// only keeps the names with an ending.
func only(ending string) func(string) (string, bool) {
	return func(name string) (string, bool) { return strings.CutSuffix(name, ending) }
}

// without leaves the names with one of some endings out.
func without(endings ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, e := range endings {
			if strings.HasSuffix(name, e) {
				return "", false
			}
		}
		return name, true
	}
}

// sized takes a size of two digits off the name.
func sized(name string) (string, bool) {
	if n := len(name); n > 3 && name[n-3] == '-' && strings.Trim(name[n-2:], "0123456789") == "" {
		return name[:n-3], true
	}
	return name, true
}

// maxSameName is how many icons of a collection may have the same caption.
const maxSameName = 3

// read gives the icons whose name, split into words, names a thing.
func (i iconCollection) read(c *Cache) ([]*Sample, error) {
	naming, err := c.readNaming()
	if err != nil {
		return nil, err
	}
	var icons iconSet
	if err := readJSON(c.path(i.pkg(), "package", "icons.json"), 256<<20, &icons); err != nil {
		return nil, err
	}
	dropped, err := iconsOfDroppedCategories(c, i.pkg())
	if err != nil {
		return nil, err
	}
	names := map[string]string{} // by base; the largest of several sizes is the last
	for name := range icons.Icons {
		base, ok := name, true
		if i.base != nil {
			base, ok = i.base(name)
		}
		if ok && !dropped[name] && !icons.Icons[name].Hidden && name > names[base] {
			names[base] = name
		}
	}
	bases := make([]string, 0, len(names))
	for base := range names {
		bases = append(bases, base)
	}
	sort.Strings(bases)
	var samples []*Sample
	same := map[string]int{}
	for _, base := range bases {
		caption := naming.iconCaption(base)
		if i.overlays && naming.overlaid(caption) {
			continue
		}
		if same[caption]++; caption == "" || same[caption] > maxSameName {
			continue
		}
		samples = append(samples, &Sample{
			ID: i.name + "/" + base, Source: i.name, Concept: naming.concept(caption), Captions: []string{caption},
			Image: drawing(c, i.pkg()+" "+names[base], icons.svg(names[base], inkOf(caption))), Mirror: mayMirror(caption),
		})
	}
	return samples, nil
}

// inks are the dark colours in which icons of one colour are drawn.
var inks = []string{"#222222", "#1f2a44", "#3b2a20", "#203a2a", "#4a1f24", "#33334d"}

// inkOf chooses an ink by the caption.
func inkOf(caption string) string { return inks[textHash(caption)%uint32(len(inks))] }

// svg draws an icon; ink is the colour of icons of one colour.
func (s iconSet) svg(name, ink string) string {
	icon := s.Icons[name]
	w, h := firstPositive(icon.Width, s.Width, 16), firstPositive(icon.Height, s.Height, 16)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="%g" height="%g" viewBox="%g %g %g %g" color="%s">%s</svg>`,
		w, h, icon.Left, icon.Top, w, h, ink, icon.Body)
}

// droppedCategories are parts of the names of categories that hold signs, not
// things.
var droppedCategories = []string{
	"brand", "logo", "arrow", "alpha", "math", "currency", "chart", "form", "text", "database", "file", "vector", "developer",
	"interface", "edit", "arrange", "typography", "graph", "symbol", "coding", "alert", "account", "banking", "navigation",
	"components", "connect", "base", "abstract", "datas", "operate", "content", "design", "email", "program", "network", "messages",
	"social", "wayfinding", "emotion", "constellation", "zodiac", "gender", "religion", "punctuation", "toggle", "spinner", "code",
}

// iconsOfDroppedCategories reads metadata.json, which not every collection
// has, and gives the names of icons that are in no other category.
func iconsOfDroppedCategories(c *Cache, pkg string) (map[string]bool, error) {
	var metadata struct{ Categories map[string][]string }
	err := readJSON(c.path(pkg, "package", "metadata.json"), 64<<20, &metadata)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	dropped := map[string]bool{}
	for category, names := range metadata.Categories {
		for _, part := range droppedCategories {
			if strings.Contains(strings.ToLower(category), part) {
				for _, name := range names {
					dropped[name] = true
				}
				break
			}
		}
	}
	return dropped, nil
}

// naming turns the names of icons and poor titles into captions.
type naming struct {
	words   wordList
	nouns   nounSenses
	aliases map[string]string // squashed names of emoji → concept
}

// readNaming reads WordNet and the names of emoji once.
func (c *Cache) readNaming() (*naming, error) {
	c.namingOnce.Do(func() { c.naming, c.namingErr = newNaming(c) })
	return c.naming, c.namingErr
}

func newNaming(c *Cache) (*naming, error) {
	words, err := readWordList(c)
	if err != nil {
		return nil, err
	}
	nouns, err := readNounSenses(c)
	if err != nil {
		return nil, err
	}
	names, err := readEmojiNames(c)
	if err != nil {
		return nil, err
	}
	aliases, err := readEmojiAliases(c, names)
	return &naming{words, nouns, aliases}, err
}

// concept is the emoji that has the caption among its names, or else the
// normalised caption, so that the icon of a held-out emoji is found out even
// if the emoji is captioned by another of its names.
func (n *naming) concept(caption string) string {
	if concept, ok := n.aliases[squash(caption)]; ok {
		return concept
	}
	return NormalCaption(caption)
}

// iconCaption gives the caption that the name of an icon makes, or "": one
// to three English words, none of them of the language of user interfaces,
// of which the head noun, or all together, name a thing.
func (n *naming) iconCaption(name string) string {
	tokens := strings.Split(words.Fold(name), "-")
	for len(tokens) > 1 && (isVariant(tokens[len(tokens)-1]) || iconVariants[tokens[len(tokens)-1]]) {
		tokens = tokens[:len(tokens)-1]
	}
	if len(tokens) > 3 || iconVariants[tokens[0]] && len(tokens) == 1 {
		return ""
	}
	for _, t := range tokens {
		if iconStops[t] || iconStops[Singular(t)] || len(t) < 3 && !shortNouns[t] && !functionWords[t] || !functionWords[t] && !n.words.has(t) {
			return ""
		}
	}
	caption := strings.Join(tokens, " ")
	if functionWords[tokens[0]] || functionWords[tokens[len(tokens)-1]] || !n.nouns.namesThing(caption) {
		return ""
	}
	return caption
}

// overlaid tells whether a caption ends in the name of a small sign in the
// corner and is no noun of WordNet as a whole ("alarm clock" is one).
func (n *naming) overlaid(caption string) bool {
	i := strings.LastIndex(caption, " ")
	_, known := n.nouns.thing(NormalCaption(caption))
	return i >= 0 && overlays[caption[i+1:]] && !known
}

var overlays = wordSet("clock heart lock star shield flag cloud key bolt alarm wrench gear person lightning music bluetooth wave check skull eye hand")

var shortNouns = map[string]bool{"ox": true, "tv": true, "pc": true, "cd": true}

// iconVariants are endings that tell the variants of an icon apart.
var iconVariants = wordSet(`alt alternate variant simple outline outlined solid line lines linear empty filled fill flat bold
	duo duotone twotone one two three four five six seven eight nine ten small large medium big lite classic basic straight curved
	oval retro style view s l m`)

// iconStops are words of the language of user interfaces, of signs and of
// actions, and brands.
var iconStops = wordSet(`account action add ai alarm-off alert align alpha amazon analytics android angle api app application
	apps archive area arrow arrows attach attachment auto backward badge ban bar bars base beta bezier bitcoin blank block bluetooth
	bold bookmark border bottom box-off brand browser browse bug-report button cancel caret category cell center certificate
	chart chat check checkbox checked checkmark chevron chrome circle circled clipboard close code coding cog column columns command comment
	comments config configuration connect connection connector content contract control convert copy core corner crop cross currency
	cursor cut dashboard data database debug decrease delete design desktop detail details dev diagram diff digital direction
	disable disabled disconnect distribute divide document documents dollar done dot dots double down download draft drag
	draw drive edge edit editor eject ellipse ellipsis email empty enable end enter equal equals erase error euro exchange exclamation
	exclude exit expand explore export external facebook false favorite feed feedback feature field file files filter finance find
	first fit flip focus folder folders font format forward forwards frame full fullscreen function gender gif git github global google
	gps graph graphic grid group guide hashtag heading height help hexagon hide hierarchy history horizontal html icon id
	image images import inbox increase indent index info information input insert inside instagram interaction interface internal
	intersect invoice italic item join json justify key-off label landscape laravel last layer layers layout left lens-off level license link
	linkedin list lists loading local location-off login logo logout loop mail-off manage manager map-off mark marked marker markup
	math maximize medium menu merge message messages microsoft middle minimize minus mirror mode monitoring more mouse-off move
	multi multiple mute navigate navigation negative network new next no node none not note-off notification notifications number
	numeric off ok on open open-in operation option options order organization orientation out outdent outgoing outside overlay page pages pan
	panel paragraph parallel part password paste path pause paypal payment pdf pentagon percent percentage pin-off pixel play plus pointer polygon
	portrait position positive post power presentation preview previous primary print private process product profile
	progress project property protocol public push quality query question quote radio-button range rank rate rating ratio read
	record rectangle recycle redo reduce refresh reload remove rename render reorder repeat replace reply report request reset resize
	resolution restart restore result resume return reverse review rewind right rotate row rows rss ruler-off run save scale scan scene schedule
	screen script scroll-up search section security select selected selection send server service session set setting settings setup shape share
	shift show shuffle sidebar sign signal single site size skip slash slide slider slot smart social software sort sound source space
	spacing split square stack standard start stat statistics stats status step stop storage stream strikethrough style subscript subtract
	success superscript support swap switch symbol sync system tab table-off tabs tag-off target task tasks template terminal test
	text theme thin thumbnail tick tilt timeline title to todo toggle tool-tip tooltip top total touch track tracking transfer transform
	transition translate transparent triangle true tune twitter type typography ui unarchive uncheck underline undo ungroup unlink
	unlock unpin unselect up update upgrade upload url usb user users ux value variable vector verified version vertical vertices video-off view viewer
	visible visibility volume vote warning watch-off web webhook website weight-off whatsapp wide widget width wifi window-restore windows wireless word workflow
	wrap wrong write www xml youtube zero zoom internet online cloud-off computing encryption cyber domain hosting seo ads ad advertising marketing
	business startup strategy growth team teamwork agile sprint meeting conference communication call calls calling dial dialpad incoming missed
	abstract gesture drag drop swipe tap click hold pinch finger-print fingers grab select-all cube-off square-off sim card-off
	stop-circle hover ban badge sticker stickers bullet bullets quarter half third ray-off impact strike attack action kick slap
	level energy-off magic-off spell anti aura ability skill effect health-off damage death-off hit punch quick fast slow speed slash
	neutral generic default various misc other unknown none quantum cycle circuit-off cancelled access accessible blocked
	crypto nft blockchain ethereum binance litecoin wordpress figma sketch adobe slack trello spotify netflix steam xbox playstation nintendo
	linux ubuntu debian fedora docker kubernetes npm react angular vue node python java php swift kotlin rust golang
	visa mastercard discover amex stripe airbnb uber reddit tumblr pinterest snapchat tiktok telegram skype dropbox evernote
	alphabet letter letters numeral roman cm mm px rgb hdr hd fps iso raw svg png jpg zip csv sql css txt
	arrowhead-off symptom symptoms specialty disease diseases condition care program indicator indicators observation backspace backup binary axis bounding bracket radial inclusive chat low language zodiac accounting
	monetization have arithmetic avatar acoustic picture drawing video energy fail collect commodity
	build format album photo gallery camcorder sound audio
	slave sex sperm penis anus breast condom intellectual landing`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}
