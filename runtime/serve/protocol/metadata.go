package protocol

// Metadata says what a model takes and gives.
type Metadata struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
	Platform string   `json:"platform"`
	Inputs   []Port   `json:"inputs"`
	Outputs  []Port   `json:"outputs"`
}

// Port is an input or output of a model. A dimension of −1 is open.
type Port struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
	// Parameters say more than the protocol asks for: what kind of sense an
	// input is, or the labels of an output.
	Parameters map[string]any `json:"parameters,omitempty"`
}

// ServerMetadata says what a server is.
type ServerMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

// Index is a line of a repository's index.
type Index struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
}
