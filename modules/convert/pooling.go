package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Pooling is how a sentence transformer makes one vector of a text's tokens
// (Reimers and Gurevych 2019).
type Pooling struct {
	How       string // mean, first or max; "" where nothing is pooled
	Normalize bool   // to length 1
	MaxTokens int    // of a text, with special ones; longer texts are cut; 0 for any number
}

// ReadPooling reads the files that sentence transformers are saved with:
// modules.json, which lists steps, the configuration of the step that pools, and
// sentence_bert_config.json. Where there is no modules.json nothing is pooled.
func ReadPooling(config fs.FS) (p Pooling, err error) {
	var steps []struct {
		Type string `json:"type"`
		Path string `json:"path"`
	}
	if ok, err := readJSON(config, "modules.json", &steps); !ok {
		return p, err
	}
	for _, s := range steps {
		switch kind := s.Type[strings.LastIndexByte(s.Type, '.')+1:]; kind {
		case "Transformer":
			var c struct {
				Max int `json:"max_seq_length"`
			}
			if _, err := readJSON(config, path.Join(s.Path, "sentence_bert_config.json"), &c); err != nil {
				return p, err
			}
			p.MaxTokens = max(c.Max, 0)
		case "Pooling":
			name := path.Join(s.Path, "config.json")
			var c struct {
				Mean  bool `json:"pooling_mode_mean_tokens"`
				First bool `json:"pooling_mode_cls_token"`
				Max   bool `json:"pooling_mode_max_tokens"`
			}
			ok, err := readJSON(config, name, &c)
			switch {
			case err != nil:
				return p, err
			case !ok:
				return p, fmt.Errorf("%s, which modules.json names, is missing", name)
			case c.Mean && !c.First && !c.Max:
				p.How = "mean"
			case c.First && !c.Mean && !c.Max:
				p.How = "first"
			case c.Max && !c.Mean && !c.First:
				p.How = "max"
			default:
				return p, fmt.Errorf("%s: only the mean, the first token or the largest numbers can be taken", name)
			}
		case "Normalize":
			if p.How == "" {
				return p, errors.New("modules.json normalises what was not pooled")
			}
			p.Normalize = true
		default:
			return p, fmt.Errorf("modules.json: a step %q is not known", s.Type)
		}
	}
	return p, nil
}

// readJSON reads a configuration file; ok is false where there is none.
func readJSON(config fs.FS, name string, v any) (ok bool, err error) {
	if config == nil {
		return false, nil
	}
	f, err := config.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		defer f.Close()
		const maxConfig = 16 << 20
		err = json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(v)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}
