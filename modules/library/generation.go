package library

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// generationConfig is what config.json and generation_config.json say of
// how a decoder makes text.
type generationConfig struct {
	Architectures   []string         `json:"architectures"`
	DecoderStart    *int64           `json:"decoder_start_token_id"`
	Begin           *int64           `json:"bos_token_id"`
	End             json.RawMessage  `json:"eos_token_id"` // a number or a list
	Positions       int              `json:"n_positions"`
	MaxPositions    int              `json:"max_position_embeddings"`
	TargetPositions int              `json:"max_target_positions"`
	Forced          [][]*int64       `json:"forced_decoder_ids"` // [place, token]; null is free
	Suppress        []int64          `json:"suppress_tokens"`
	SuppressFirst   []int64          `json:"begin_suppress_tokens"`
	NoTimestamps    int64            `json:"no_timestamps_token_id"`
	Languages       map[string]int64 `json:"lang_to_id"`
	Decoder         *struct {
		Positions    int `json:"n_positions"`
		MaxPositions int `json:"max_position_embeddings"`
	} `json:"decoder"`
}

// generate describes how the last part that is a decoder makes text.
func (d *Description) generate(parts []*part, c *hubConfig) {
	for _, p := range slices.Backward(parts) {
		from := p.tokensPort
		if from < 0 && p.embeds {
			from = embedder(parts)
		}
		if from < 0 || p.logitsPort < 0 || !c.decodes(p) {
			continue
		}
		tokens := &d.Manifest.Inputs[from]
		g := &modules.Generate{
			Tokens: tokens.Name, Logits: d.Manifest.Outputs[p.logitsPort].Name, Start: c.start(d), End: c.ends(), Max: c.positions(),
			Suppress: notNegative(c.Suppress), SuppressFirst: notNegative(c.SuppressFirst),
		}
		if tokens.Kind == modules.KindTokens && len(g.Start)+len(g.End) == 0 {
			d.note("generate: neither a tokenizer.json nor the numbers of its first and last token lie beside the model; add generate: to the manifest to make text with it")
			return
		}
		if len(g.End) == 0 {
			d.note("generate: the configuration does not say after which token a text ends; it is made up to the limit")
		}
		d.Manifest.Generate = g
		d.steer(p)
		return
	}
}

// steer notes where the decoder can be steered.
func (d *Description) steer(p *part) {
	m := d.Manifest
	logits := &m.Outputs[p.logitsPort]
	tensor := logits.Tensor
	if tensor == "" {
		tensor = logits.Name
	}
	where, err := steer(p.graph, p.tokens, tensor)
	if err == nil {
		m.Generate.Steer = where
		err = m.Steerable()
	}
	if err != nil {
		m.Generate.Steer = nil
		d.note("generate: a plan cannot steer this decoder: %v", err)
	}
}

// embedder is the port of a part that makes vectors of tokens for another; −1
// without one.
func embedder(parts []*part) int {
	for _, p := range parts {
		if p.tokensPort >= 0 && slices.ContainsFunc(p.graph.Outputs, func(v onnxfile.Value) bool { return v.Name == inputEmbeds }) {
			return p.tokensPort
		}
	}
	return -1
}

// decodes tells a decoder from a model that fills gaps in a text, which has
// the same ports.
func (c *hubConfig) decodes(p *part) bool {
	if p.past != "" || strings.Contains(strings.ToLower(p.File), "decoder") {
		return true
	}
	return slices.ContainsFunc(c.Architectures, func(a string) bool {
		return strings.Contains(a, "CausalLM") || strings.Contains(a, "LMHeadModel")
	})
}

// positions is the largest number of tokens the model was made for, 0 when
// that is not known.
func (c *hubConfig) positions() int {
	for _, n := range []int{c.Positions, c.TargetPositions} {
		if n > 0 {
			return n
		}
	}
	if c.Decoder != nil {
		return max(c.Decoder.Positions, c.Decoder.MaxPositions, 0)
	}
	return max(c.MaxPositions, 0)
}

func (c *hubConfig) ends() []int64 {
	var one *int64
	if json.Unmarshal(c.End, &one) == nil && one != nil {
		return []int64{*one}
	}
	var list []int64
	if json.Unmarshal(c.End, &list) != nil {
		return nil
	}
	return list
}

// start is what a decoder begins with: its start token and those that its
// configuration forces. A place that it leaves open, the language, is English.
func (c *hubConfig) start(d *Description) []int64 {
	if c.DecoderStart == nil {
		if c.Begin == nil {
			return nil
		}
		return []int64{*c.Begin}
	}
	start := []int64{*c.DecoderStart}
	for _, f := range c.Forced {
		if len(f) != 2 || f[0] == nil || *f[0] != int64(len(start)) {
			break
		}
		if f[1] != nil {
			start = append(start, *f[1])
			continue
		}
		english, ok := c.Languages["<|en|>"]
		if !ok {
			break
		}
		start = append(start, english)
		d.note("generate.start: the second token is the language; %d is English, others are in lang_to_id of generation_config.json", english)
	}
	if c.NoTimestamps > 0 && !slices.Contains(start, c.NoTimestamps) && len(start) > 1 {
		start = append(start, c.NoTimestamps)
	}
	return start
}

func notNegative(ids []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return id < 0 })
}
