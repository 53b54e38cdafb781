package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// file is the structure of a tokenizer.json.
type file struct {
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    *step           `json:"normalizer"`
	PreTokenizer  *step           `json:"pre_tokenizer"`
	PostProcessor *step           `json:"post_processor"`
	Decoder       *step           `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

type addedToken struct {
	ID      int64  `json:"id"`
	Content string `json:"content"`
	Special bool   `json:"special"`
}

// step is any normalizer, pre-tokenizer, post-processor or decoder: the
// union of their fields.
type step struct {
	Type           string    `json:"type"`
	Steps          []step    `json:"normalizers"`
	PreTokenizers  []step    `json:"pretokenizers"`
	Processors     []step    `json:"processors"`
	Decoders       []step    `json:"decoders"`
	Lowercase      bool      `json:"lowercase"`
	StripAccents   *bool     `json:"strip_accents"`
	CleanText      bool      `json:"clean_text"`
	ChineseChars   bool      `json:"handle_chinese_chars"`
	Pattern        pattern   `json:"pattern"`
	Content        string    `json:"content"`
	Prepend        string    `json:"prepend"`
	Left           bool      `json:"strip_left"`
	Right          bool      `json:"strip_right"`
	AddPrefixSpace *bool     `json:"add_prefix_space"`
	PrependScheme  string    `json:"prepend_scheme"`
	Replacement    string    `json:"replacement"`
	UseRegex       *bool     `json:"use_regex"`
	Behavior       string    `json:"behavior"`
	Invert         bool      `json:"invert"`
	Individual     bool      `json:"individual_digits"`
	Prefix         string    `json:"prefix"`
	Suffix         string    `json:"suffix"`
	Cleanup        *bool     `json:"cleanup"`
	Start          int       `json:"start"`
	Stop           int       `json:"stop"`
	Cls            tokenPair `json:"cls"`
	Sep            tokenPair `json:"sep"`
	Single         []struct {
		Special  *struct{ ID string } `json:"SpecialToken"`
		Sequence *struct{ ID string } `json:"Sequence"`
	} `json:"single"`
	Special map[string]struct {
		IDs []int64 `json:"ids"`
	} `json:"special_tokens"`
}

// pattern is {"Regex": …} or {"String": …}.
type pattern struct{ Regex, String string }

// tokenPair is ["[CLS]", 101].
type tokenPair struct {
	token string
	id    int64
}

func (p *tokenPair) UnmarshalJSON(b []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) != 2 {
		return errors.New(`a special token is written ["token", number]`)
	}
	if err := json.Unmarshal(parts[0], &p.token); err != nil {
		return err
	}
	return json.Unmarshal(parts[1], &p.id)
}

// pipeline is a tokenizer.json: text is split at added tokens, normalized,
// split into words, and each word is cut into tokens by the model.
type pipeline struct {
	added      []addedToken // longest first
	normalize  []func(string) string
	split      []splitter
	model      model
	before     []int64 // template around the tokens
	after      []int64
	decoders   []func([]string) []string
	special    map[int64]bool
	addedByID  map[int64]string
	addedByTok map[string]int64
}

// model cuts a word into tokens.
type model interface {
	tokens(word string) ([]int64, error)
	token(id int64) string
	id(token string) (int64, bool)
	size() int
}

func newPipeline(b []byte) (*pipeline, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("is not a tokenizer.json: %w", err)
	}
	p := &pipeline{special: map[int64]bool{}, addedByID: map[int64]string{}, addedByTok: map[string]int64{}}
	var err error
	if p.model, err = readModel(f.Model); err != nil {
		return nil, err
	}
	for _, a := range f.AddedTokens {
		if !isToken(a.ID) || a.Content == "" {
			return nil, fmt.Errorf("added token %q has the number %d", a.Content, a.ID)
		}
		p.added = append(p.added, a)
		p.addedByID[a.ID], p.addedByTok[a.Content] = a.Content, a.ID
		p.special[a.ID] = a.Special
	}
	slices.SortStableFunc(p.added, func(a, b addedToken) int { return len(b.Content) - len(a.Content) })
	if p.normalize, err = readNormalizer(f.Normalizer); err != nil {
		return nil, err
	}
	if p.split, err = readSplitter(f.PreTokenizer); err != nil {
		return nil, err
	}
	if err := p.readTemplate(f.PostProcessor); err != nil {
		return nil, err
	}
	for _, id := range slices.Concat(p.before, p.after) {
		if !isToken(id) {
			return nil, fmt.Errorf("the post-processor puts the number %d around a text, which is no token", id)
		}
	}
	p.decoders, err = readDecoder(f.Decoder)
	return p, err
}

// readTemplate reads what is put before and after a single text.
func (p *pipeline) readTemplate(s *step) error {
	if s == nil {
		return nil
	}
	switch s.Type {
	case "ByteLevel": // only adjusts offsets
	case "Sequence":
		for i := range s.Processors {
			if err := p.readTemplate(&s.Processors[i]); err != nil {
				return err
			}
		}
	case "BertProcessing", "RobertaProcessing":
		p.before, p.after = []int64{s.Cls.id}, []int64{s.Sep.id}
	case "TemplateProcessing":
		seen := false
		for _, item := range s.Single {
			switch {
			case item.Sequence != nil:
				seen = true
			case item.Special != nil && seen:
				p.after = append(p.after, s.Special[item.Special.ID].IDs...)
			case item.Special != nil:
				p.before = append(p.before, s.Special[item.Special.ID].IDs...)
			}
		}
	default:
		return unknownStep("post-processor", s.Type)
	}
	return nil
}

func unknownStep(kind, name string) error {
	return fmt.Errorf("the %s %q is not known here", kind, name)
}

// Encode runs the pipeline.
func (p *pipeline) Encode(s string) ([]int64, error) {
	out := slices.Clone(p.before)
	first := true
	for s != "" {
		at, a := p.nextAdded(s)
		if at > 0 {
			ids, err := p.encodePlain(s[:at], first)
			if err != nil {
				return nil, err
			}
			out = append(out, ids...)
		}
		first = false
		if a == nil {
			break
		}
		out = append(out, a.ID)
		s = s[at+len(a.Content):]
	}
	return append(out, p.after...), nil
}

// nextAdded finds the first added token in s, the longest at that place; at
// is the length of s when there is none.
func (p *pipeline) nextAdded(s string) (at int, token *addedToken) {
	at = len(s)
	for i := range p.added {
		if k := strings.Index(s, p.added[i].Content); k >= 0 && k < at {
			at, token = k, &p.added[i]
		}
	}
	return at, token
}

func (p *pipeline) encodePlain(s string, first bool) ([]int64, error) {
	for _, f := range p.normalize {
		s = f(s)
	}
	words := []string{s}
	for _, f := range p.split {
		var next []string
		for i, w := range words {
			parts, err := f(w, first && i == 0)
			if err != nil {
				return nil, err
			}
			next = append(next, parts...)
		}
		words = next
	}
	var out []int64
	for _, w := range words {
		if w == "" {
			continue
		}
		ids, err := p.model.tokens(w)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
	}
	return out, nil
}

// Decode joins tokens to text.
func (p *pipeline) Decode(ids []int64) string {
	var tokens []string
	for _, id := range ids {
		if t := p.Token(id); t != "" && !p.special[id] {
			tokens = append(tokens, t)
		}
	}
	if p.decoders == nil {
		return strings.Join(tokens, " ")
	}
	for _, f := range p.decoders {
		tokens = f(tokens)
	}
	return strings.Join(tokens, "")
}

func (p *pipeline) Token(id int64) string {
	if t, ok := p.addedByID[id]; ok {
		return t
	}
	return p.model.token(id)
}

func (p *pipeline) ID(token string) (int64, bool) {
	if id, ok := p.addedByTok[token]; ok {
		return id, true
	}
	return p.model.id(token)
}

func (p *pipeline) Size() int {
	n := int64(p.model.size())
	for id := range p.addedByID {
		n = max(n, id+1)
	}
	return int(n)
}
