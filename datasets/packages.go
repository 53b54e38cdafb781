package datasets

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Client is the program that fetches a package.
type Client string

// The two clients.
const (
	Apt Client = "apt-get"
	NPM Client = "npm"
)

// Package is a package that a source is read from.
type Package struct {
	Name    string
	Client  Client
	Licence string
	// Credit says who made it, where the licence asks for that.
	Credit string
	// keep chooses the files to unpack; nil keeps all.
	keep func(name string) bool
	// bundles are Qt resource bundles that are unpacked in turn.
	bundles []string
}

// rendererPackage draws SVG pictures.
const rendererPackage = "@resvg/resvg-wasm"

// packages are all packages, sorted by name.
var packages = []Package{
	{Name: "@iconify-json/emojione", Client: NPM, Licence: "CC-BY-4.0", Credit: "EmojiOne 2, EmojiOne", keep: iconFiles},
	{Name: "@iconify-json/emojione-v1", Client: NPM, Licence: "CC-BY-SA-4.0", Credit: "EmojiOne 1, EmojiOne", keep: iconFiles},
	{Name: "@iconify-json/fa6-solid", Client: NPM, Licence: "CC-BY-4.0", Credit: "Font Awesome Free 6, Fonticons Inc", keep: iconFiles},
	{Name: "@iconify-json/flat-color-icons", Client: NPM, Licence: "MIT", Credit: "Flat Color Icons, Icons8", keep: iconFiles},
	{Name: "@iconify-json/fluent-color", Client: NPM, Licence: "MIT", Credit: "Fluent UI System Color Icons, Microsoft Corporation", keep: iconFiles},
	{Name: "@iconify-json/fluent-emoji-flat", Client: NPM, Licence: "MIT", Credit: "Fluent Emoji, Microsoft Corporation", keep: iconFiles},
	{Name: "@iconify-json/fxemoji", Client: NPM, Licence: "Apache-2.0", Credit: "Firefox OS Emoji, Mozilla", keep: iconFiles},
	{Name: "@iconify-json/game-icons", Client: NPM, Licence: "CC-BY-3.0", Credit: "game-icons.net: Lorc, Delapouite and contributors", keep: iconFiles},
	{Name: "@iconify-json/healthicons", Client: NPM, Licence: "MIT", Credit: "Health Icons, Resolve to Save Lives", keep: iconFiles},
	{Name: "@iconify-json/icon-park", Client: NPM, Licence: "Apache-2.0", Credit: "IconPark, ByteDance", keep: iconFiles},
	{Name: "@iconify-json/lucide", Client: NPM, Licence: "ISC", Credit: "Lucide, Lucide Contributors", keep: iconFiles},
	{Name: "@iconify-json/lucide-lab", Client: NPM, Licence: "ISC", Credit: "Lucide Lab, Lucide Contributors", keep: iconFiles},
	{Name: "@iconify-json/maki", Client: NPM, Licence: "CC0-1.0", Credit: "Maki, Mapbox", keep: iconFiles},
	{Name: "@iconify-json/material-symbols", Client: NPM, Licence: "Apache-2.0", Credit: "Material Symbols, Google Inc", keep: iconFiles},
	{Name: "@iconify-json/mdi", Client: NPM, Licence: "Apache-2.0", Credit: "Material Design Icons, Pictogrammers", keep: iconFiles},
	{Name: "@iconify-json/noto-v1", Client: NPM, Licence: "Apache-2.0", Credit: "Noto Emoji, Google Inc", keep: iconFiles},
	{Name: "@iconify-json/ph", Client: NPM, Licence: "MIT", Credit: "Phosphor Icons", keep: iconFiles},
	{Name: "@iconify-json/pinhead", Client: NPM, Licence: "CC0-1.0", Credit: "Pinhead", keep: iconFiles},
	{Name: "@iconify-json/solar", Client: NPM, Licence: "CC-BY-4.0", Credit: "Solar, 480 Design", keep: iconFiles},
	{Name: "@iconify-json/streamline-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Core color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-cyber-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Cyber color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-emojis", Client: NPM, Licence: "CC-BY-4.0", Credit: "Streamline Emojis, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-flex-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Flex color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-freehand-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Freehand color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-kameleon-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Kameleon color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-plump-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Plump color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-sharp-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Sharp color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-stickies-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Stickies color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/streamline-ultimate-color", Client: NPM, Licence: "CC-BY-4.0", Credit: "Ultimate color icons, Streamline", keep: iconFiles},
	{Name: "@iconify-json/tabler", Client: NPM, Licence: "MIT", Credit: "Tabler Icons, Paweł Kuna", keep: iconFiles},
	{Name: "@iconify-json/temaki", Client: NPM, Licence: "CC0-1.0", Credit: "Temaki, Bryan Housel", keep: iconFiles},
	{Name: "@lobehub/fluent-emoji-3d", Client: NPM, Licence: "MIT", Credit: "Fluent Emoji, Microsoft Corporation; packed by LobeHub"},
	{Name: rendererPackage, Client: NPM, Licence: "MPL-2.0", Credit: "resvg by Yevhenii Reizner, resvg-js by yisibl"},
	{Name: "asterisk-core-sounds-en-wav", Client: Apt, Licence: "CC-BY-SA-3.0", Credit: "Digium, voice of Allison Smith"},
	{Name: "brainparty-data", Client: Apt, Licence: "GPL-3+", Credit: "Brain Party, Paul Hudson", keep: soundFiles},
	{Name: "emoji-datasource-google", Client: NPM, Licence: "Apache-2.0", Credit: "Noto Emoji, Google Inc; packed by Cal Henderson", keep: emojiFiles},
	{Name: "emoji-datasource-twitter", Client: NPM, Licence: "CC-BY-4.0", Credit: "Twemoji, Twitter Inc and contributors; packed by Cal Henderson", keep: emojiFiles},
	{Name: "emojibase-data", Client: NPM, Licence: "MIT", Credit: "Emojibase, Miles Johnson", keep: inFolders("package/en", "package/meta", "package/LICENSE", "package/README.md", "package/package.json")},
	{Name: "flare-game", Client: Apt, Licence: "CC-BY-SA-3.0+", Credit: "Flare, Clint Bellanger and contributors", keep: soundFiles},
	{Name: "gcompris-qt-data", Client: Apt, Licence: "mixed, stated file by file in the README beside each: GPL-3+, CC-BY-SA-4.0, CC-BY-2.0, CC0-1.0, public domain", Credit: "GCompris",
		keep: gcomprisFiles, bundles: []string{"instruments", "explore_farm_animals", "explore_world_animals", "explore_world_music", "memory-sound"}},
	{Name: "hydrogen-data", Client: Apt, Licence: "GPL-2+", Credit: "Hydrogen, its developers", keep: soundFiles},
	{Name: "klettres-data", Client: Apt, Licence: "GPL-2+", Credit: "KLettres, KDE", keep: inFolders("usr/share/klettres/en", "usr/share/klettres/en_GB", "usr/share/doc/klettres-data")},
	{Name: "ktuberling-data", Client: Apt, Licence: "GPL-2+", Credit: "KTuberling, KDE", keep: inFolders("usr/share/ktuberling/sounds/en", "usr/share/ktuberling/sounds/en.soundtheme", "usr/share/doc/ktuberling-data")},
	{Name: "lincity-ng-data", Client: Apt, Licence: "GPL-2+", Credit: "LinCity-NG and its contributors", keep: soundFiles},
	{Name: "lmms-common", Client: Apt, Licence: "GPL-2+", Credit: "LMMS and its contributors", keep: soundFiles},
	{Name: "megaglest-data", Client: Apt, Licence: "CC-BY-SA-3.0", Credit: "MegaGlest, the Glest and MegaGlest teams", keep: soundFiles},
	{Name: "micropolis-data", Client: Apt, Licence: "GPL-3+", Credit: "Micropolis, Electronic Arts and Don Hopkins", keep: soundFiles},
	{Name: "minetest-data", Client: Apt, Licence: "CC-BY-SA-3.0, CC-BY-3.0", Credit: "Minetest, Perttu Ahola and contributors", keep: soundFiles},
	{Name: "openclipart-png", Client: Apt, Licence: "public domain", Credit: "Open Clip Art Library"},
	{Name: "openclipart-svg", Client: Apt, Licence: "public domain", Credit: "Open Clip Art Library"},
	{Name: "openmoji", Client: NPM, Licence: "CC-BY-SA-4.0", Credit: "OpenMoji, HfG Schwäbisch Gmünd", keep: inFolders("package/color", "package/data/openmoji.json", "package/LICENSE.txt", "package/package.json")},
	{Name: "scorched3d-data", Client: Apt, Licence: "GPL-2+", Credit: "Scorched3D, Gavin Camp", keep: soundFiles},
	{Name: "scratch", Client: Apt, Licence: "CC-BY-SA-3.0", Credit: "Scratch, Lifelong Kindergarten Group, MIT Media Lab", keep: inFolders("usr/share/scratch/Media/Sounds", "usr/share/doc/scratch")},
	{Name: "searchandrescue-data", Client: Apt, Licence: "GPL", Credit: "Search and Rescue, WolfPack Entertainment", keep: soundFiles},
	{Name: "sonic-pi-samples", Client: Apt, Licence: "CC0-1.0, MIT", Credit: "Sonic Pi, Samuel Aaron and the authors of the samples", keep: soundFiles},
	{Name: "sound-icons", Client: Apt, Licence: "GPL-2+", Credit: "Sound Icons, Brailcom", keep: soundFiles},
	{Name: "triplea", Client: Apt, Licence: "GPL-2+", Credit: "TripleA, Sean Bridges", keep: soundFiles},
	{Name: "tuxpaint-stamps-default", Client: Apt, Licence: "GPL-2+", Credit: "Tux Paint stamps, Bill Kendrick and many contributors"},
	{Name: "widelands-data", Client: Apt, Licence: "GPL-2+", Credit: "Widelands Development Team", keep: soundFiles},
	{Name: "wordnet-base", Client: Apt, Licence: "WordNet 3.0 licence", Credit: "Princeton University", keep: inFolders("usr/share/wordnet", "usr/share/doc/wordnet-base")},
}

// Packages lists every known package, sorted by name.
func Packages() []Package { return slices.Clone(packages) }

func packageByName(name string) (Package, error) {
	for _, p := range packages {
		if p.Name == name {
			return p, nil
		}
	}
	return Package{}, fmt.Errorf("unknown package %q", name)
}

// dir is the name of the package's directory in the cache.
func (p Package) dir() string {
	return strings.ReplaceAll(strings.TrimPrefix(p.Name, "@"), "/", "-")
}

// inFolders keeps the named files and all below the named folders.
func inFolders(folders ...string) func(string) bool {
	return func(name string) bool {
		for _, f := range folders {
			if name == f || strings.HasPrefix(name, f+"/") {
				return true
			}
		}
		return false
	}
}

func iconFiles(name string) bool {
	switch path.Base(name) {
	case "icons.json", "chars.json", "info.json", "metadata.json", "package.json", "README.md", "LICENSE":
		return true
	}
	return false
}

func emojiFiles(name string) bool {
	if ok, _ := path.Match("package/img/*/64/*.png", name); ok {
		return true
	}
	return path.Dir(name) == "package"
}

func gcomprisFiles(name string) bool {
	if strings.HasPrefix(name, "usr/share/doc/gcompris-qt-data/") {
		return true
	}
	switch strings.TrimSuffix(path.Base(name), ".rcc") {
	case "instruments", "explore_farm_animals", "explore_world_animals", "explore_world_music", "memory-sound":
		return path.Ext(name) == ".rcc"
	}
	return false
}
