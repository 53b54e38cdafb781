package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	wire "github.com/connectomewire/wire"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/model"
	"github.com/connectomewire/wire/runtime/serve/protocol"
	"github.com/connectomewire/wire/wiring"
)

// Said is the answer to a simple request.
type Said struct {
	Model   string `json:"model_name"`
	Version string `json:"model_version"`
	ID      string `json:"id,omitempty"`
	// Text is the answer of the first effector in words.
	Text string `json:"text_output"`
	// Answers are those of all effectors, as `wire run --json` prints them.
	Answers any      `json:"answers,omitempty"`
	Engine  string   `json:"engine,omitempty"`
	Ticks   int      `json:"ticks,omitempty"`
	Faults  []string `json:"faults,omitempty"`
	// Final says of a part of a stream that it is the last and holds everything.
	Final bool   `json:"final,omitempty"`
	Error string `json:"error,omitempty"`
}

// word is a part of a stream of words.
type word struct {
	Model    string `json:"model_name"`
	Version  string `json:"model_version"`
	ID       string `json:"id,omitempty"`
	Effector string `json:"effector"`
	// Text is what came, Sentence all so far.
	Text     string `json:"text_output"`
	Sentence string `json:"sentence"`
}

// asked is a simple request before it is decoded: bytes, texts or numbers for
// senses by name.
type asked struct {
	id    string
	by    map[string]json.RawMessage // of JSON
	files map[string][]byte          // by sense; "" for whichever takes it
	text  bool                       // files[""] is a text
}

// parseAsked reads a body by its type: JSON, a form with files, a text, or a
// file of any other type, which is told by its content.
func parseAsked(body []byte, contentType string) (*asked, error) {
	q := &asked{files: map[string][]byte{}}
	kind, params, err := mime.ParseMediaType(contentType)
	if contentType != "" && err != nil {
		return nil, protocol.Invalid("a Content-Type of %q", clip(contentType))
	}
	switch {
	case kind == "application/json":
		return q, q.json(body)
	case kind == "multipart/form-data":
		return q, q.form(body, params["boundary"])
	case kind == "text/plain":
		q.text = true
	}
	q.files[""] = body
	return q, nil
}

// json reads an object by senses.
func (q *asked) json(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	token, err := d.Token()
	if err != nil || token != json.Delim('{') {
		return protocol.Invalid("an object of JSON is wanted: {\"SENSE\": value, …}")
	}
	q.by = map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return protocol.Invalid("the JSON: %v", err)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return protocol.Invalid("the JSON: %v", err)
		}
		switch name := key.(string); name {
		case "id":
			if err := json.Unmarshal(v, &q.id); err != nil {
				return protocol.Invalid("id: a text is wanted")
			}
		case "parameters", "stream": // of clients that always send some
		default:
			if len(q.by) == 64 {
				return protocol.Invalid("more than 64 senses are given")
			}
			q.by[name] = v
		}
	}
	if _, err := d.Token(); err != nil {
		return protocol.Invalid("the JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return protocol.Invalid("there is more behind the JSON")
	}
	return nil
}

// form reads the parts of a form, called as senses are.
func (q *asked) form(body []byte, boundary string) error {
	if boundary == "" {
		return protocol.Invalid("a form without a boundary")
	}
	f := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := f.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return protocol.Invalid("the form: %v", err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return protocol.Invalid("the form: %v", err)
		}
		name := part.FormName()
		if name == "file" {
			name = ""
		}
		if _, twice := q.files[name]; twice || len(q.files) == 64 {
			return protocol.Invalid("the form gives %q twice, or too much", clip(name))
		}
		q.files[name] = b
	}
}

// inputs decodes what is asked as a plan takes it.
func (q *asked) inputs(p *wiring.Plan, d *media.Decoder) (wire.Inputs, error) {
	in := wire.Inputs{}
	give := func(s *wiring.Sense, v any, err error) error {
		if err != nil {
			return err
		}
		if _, twice := in[s.Name]; twice {
			return protocol.Invalid("sense %q is given twice", s.Name)
		}
		if v != nil {
			in[s.Name] = v
		}
		return nil
	}
	for name, b := range q.files {
		s, err := senseFor(p, name, b, q.text)
		if err != nil {
			return nil, err
		}
		v, err := model.Decode(s, b, d)
		if s.Kind == wiring.KindVector || s.Kind == wiring.KindSeries {
			v, err = model.DecodeJSON(s, b, d)
		}
		if err := give(s, v, err); err != nil {
			return nil, err
		}
	}
	for name, raw := range q.by {
		s := senseNamed(p, name)
		if s == nil && name == "text_input" {
			s = firstOf(p, modules.KindText)
		}
		if s == nil {
			return nil, noSense(p, name)
		}
		v, err := model.DecodeJSON(s, raw, d)
		if err := give(s, v, err); err != nil {
			return nil, err
		}
	}
	if len(in) == 0 {
		return nil, protocol.Invalid("nothing is given; the plan's senses are %s", strings.Join(senses(p), ", "))
	}
	return in, nil
}

func senses(p *wiring.Plan) (names []string) {
	for i := range p.Senses {
		if s := &p.Senses[i]; s.Kind != wiring.KindMemory {
			names = append(names, s.Name)
		}
	}
	return names
}

func noSense(p *wiring.Plan, name string) error {
	return protocol.Invalid("there is no sense %q; the plan's senses are %s", clip(name), strings.Join(senses(p), ", "))
}

// senseNamed finds a sense that takes something; nil for none.
func senseNamed(p *wiring.Plan, name string) *wiring.Sense {
	if s := p.Sense(name); s != nil && s.Kind != wiring.KindMemory {
		return s
	}
	return nil
}

// firstOf finds the first sense that takes a kind; nil for none.
func firstOf(p *wiring.Plan, kind string) *wiring.Sense {
	for i := range p.Senses {
		if slices.ContainsFunc(p.Senses[i].All(), func(e wiring.Encoder) bool { return e.Kind == kind }) {
			return &p.Senses[i]
		}
	}
	return nil
}

// senseFor finds the sense with a name, or, without one, that takes a file.
func senseFor(p *wiring.Plan, name string, b []byte, text bool) (*wiring.Sense, error) {
	if name != "" {
		if s := senseNamed(p, name); s != nil {
			return s, nil
		}
		return nil, noSense(p, name)
	}
	kind := modules.KindText
	switch {
	case text:
	case media.IsSound(b):
		kind = modules.KindSound
	case media.IsPicture(b) || firstOf(p, modules.KindText) == nil:
		kind = modules.KindImage
	}
	if s := firstOf(p, kind); s != nil {
		return s, nil
	}
	if only := senses(p); len(only) == 1 {
		return p.Sense(only[0]), nil
	}
	return nil, protocol.Invalid("no sense of the plan takes a file of kind %s; its senses are %s", kind, strings.Join(senses(p), ", "))
}

// say answers what is asked. heard, unless it is nil, gets the words.
func (s *Server) say(ctx context.Context, name, version string, q *asked, heard func(*use, string, string)) (*Said, error) {
	cost := func(m model.Model) float64 { return m.Cost(&protocol.Request{}) }
	u, err := s.admit(ctx, name, version, 0, cost)
	if err != nil {
		return nil, err
	}
	out, err := u.say(q, heard)
	u.end(err)
	return out, err
}

func (u *use) say(q *asked, heard func(*use, string, string)) (*Said, error) {
	p, ok := u.Model.(*model.Plan)
	if !ok {
		return nil, protocol.Invalid("%q is a module, not a plan: ask it by /v2/models/%s/infer", u.Name, u.Name)
	}
	in, err := q.inputs(p.Runner().Plan(), u.media)
	if err != nil {
		return nil, err
	}
	if err := u.weigh(p.Weight(in)); err != nil {
		return nil, err
	}
	var each func(string, string)
	if heard != nil {
		each = func(effector, sentence string) { heard(u, effector, sentence) }
	}
	a, err := p.Listen(u.ctx, in, each)
	if err != nil {
		return nil, err
	}
	return &Said{Model: u.Name, Version: u.Version, ID: q.id, Text: p.Text(a), Answers: a.By, Engine: p.Runner().Engine(), Ticks: a.Ticks, Faults: a.Faults}, nil
}

// ask reads a simple request. The model is the first where none is named.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) (q *asked, release func(), err error) {
	body, release, err := s.read(w, r)
	if err != nil {
		return nil, nil, err
	}
	if q, err = parseAsked(body, r.Header.Get("Content-Type")); err != nil {
		release()
		return nil, nil, err
	}
	return q, release, nil
}

// modelOf is the model that an address names, or the first.
func (s *Server) modelOf(r *http.Request) string {
	if name := r.PathValue("model"); name != "" {
		return name
	}
	if names := s.models.Names(); len(names) > 0 {
		return names[0]
	}
	return ""
}

// answer answers one simple request; word by word where the client takes
// server-sent events.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		s.generateStream(w, r)
		return
	}
	s.generate(w, r)
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request) {
	q, release, err := s.ask(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer release()
	out, err := s.say(r.Context(), s.modelOf(r), r.PathValue("version"), q, nil)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.tell(w, r, out)
}
