package library

import (
	"bufio"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/weights"
)

// A model's folder as hubs ship it: ONNX files at its root or in "onnx/",
// configuration files at the root, and a README.md that names the licence.

// usualSets are the models that make a module where nobody chooses, in the
// order in which they are looked for: two towers of one space, an encoder with
// its decoder, a whole model.
var usualSets = [][]string{
	{"vision_model.onnx", "text_model.onnx"},
	{"audio_model.onnx", "text_model.onnx"},
	{"embed_tokens.onnx", "decoder_model_merged.onnx"},
	{"embed_tokens.onnx", "decoder_model.onnx"},
	{"encoder_model.onnx", "decoder_model_merged.onnx"},
	{"encoder_model.onnx", "decoder_model.onnx"},
	{"model.onnx"},
	{"decoder_model_merged.onnx"},
	{"decoder_model.onnx"},
}

// usual chooses the models of a folder; nil where no set is whole and there
// are several. Names are relative to the folder, with slashes.
func usual(all []string) []string {
	for _, set := range usualSets {
		for _, dir := range []string{"onnx", "."} {
			var found []string
			for _, name := range set {
				if at := path.Join(dir, name); slices.Contains(all, at) {
					found = append(found, at)
				}
			}
			if len(found) == len(set) {
				return found
			}
		}
	}
	if len(all) == 1 {
		return all
	}
	return nil
}

// copyFolder copies what a hub's folder holds of a module.
func copyFolder(name, dir string, opt *PullOptions) (models []string, license string, err error) {
	var all, made []string
	for _, sub := range []string{"", "onnx"} {
		entries, err := os.ReadDir(filepath.Join(name, sub))
		if err != nil && (sub == "" || !os.IsNotExist(err)) {
			return nil, "", err
		}
		for _, e := range entries {
			switch {
			case strings.HasSuffix(e.Name(), ".onnx"):
				all = append(all, path.Join(sub, e.Name()))
			case sub == "" && weights.Is(e.Name()):
				made = append(made, e.Name())
			}
		}
	}
	if len(all) == 0 {
		all = made
	}
	chosen := usual(all)
	switch {
	case len(all) == 0:
		return nil, "", fmt.Errorf("%s holds no ONNX file, at its root or in onnx/, no weights and no %s", name, modules.ManifestName)
	case chosen == nil:
		return nil, "", fmt.Errorf("%s holds several models (%s); name the one, or those that belong together", name, strings.Join(all, ", "))
	}
	license = cardLicense(filepath.Join(name, "README.md"))
	var size int64
	paths := make([]string, len(chosen))
	for i, c := range chosen {
		paths[i] = filepath.Join(name, filepath.FromSlash(c))
		info, err := os.Stat(paths[i])
		if err != nil {
			return nil, "", err
		}
		size += info.Size()
	}
	shown := license
	if opt.License != "" {
		shown = opt.License
	}
	if err := opt.announce(Plan{opt.Name, name + ": " + strings.Join(chosen, ", "), shown, size}); err != nil {
		return nil, "", err
	}
	if err := copyConfigs(name, dir); err != nil {
		return nil, "", err
	}
	models, err = copyModels(paths, dir)
	return models, license, err
}

// copyConfigs copies the configuration files of a folder.
func copyConfigs(from, dir string) error {
	names, err := configsIn(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := copyFile(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// cardLicense reads `license:` of the YAML at a model card's head; "" where
// there is none.
func cardLicense(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 0; lines.Scan() && n < 500; n++ {
		line := strings.TrimRight(lines.Text(), " \r")
		if n == 0 != (line == "---") {
			return "" // no head, or its end
		}
		if v, ok := strings.CutPrefix(line, "license:"); ok {
			return strings.Trim(v, ` "'`)
		}
	}
	return ""
}
