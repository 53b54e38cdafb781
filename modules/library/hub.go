package library

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Hub is where hf: sources are fetched from unless a mirror is given.
const Hub = "https://huggingface.co"

// repository is what the hub tells about a model repository.
type repository struct {
	Revision string `json:"sha"`
	Card     struct {
		License any `json:"license"`
	} `json:"cardData"`
	Siblings []struct {
		Name string `json:"rfilename"`
		Size int64  `json:"size"`
		LFS  *struct {
			SHA256 string `json:"sha256"`
		} `json:"lfs"`
	} `json:"siblings"`
}

// viewHub asks the hub for the files of a repository.
func viewHub(ctx context.Context, base string, s Source) (*repository, error) {
	revision := s.Version
	if revision == "" {
		revision = "main"
	}
	address := base + "/api/models/" + s.Name + "/revision/" + url.PathEscape(revision) + "?blobs=true"
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the hub answered %s; is the name right, and the repository public?", s, resp.Status)
	}
	const maxListing = 16 << 20
	var r repository
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxListing)).Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: the hub's answer cannot be read: %w", s, err)
	}
	return &r, nil
}

// license is the licence its card states.
func (r *repository) license() string {
	switch v := r.Card.License.(type) {
	case string:
		return v
	case []any:
		var names []string
		for _, n := range v {
			names = append(names, fmt.Sprint(n))
		}
		return strings.Join(names, ", ")
	}
	return "unknown"
}

// configs are the files beside a model that [Describe] reads.
var configs = []string{"config.json", "preprocessor_config.json", "generation_config.json", "tokenizer.json"}

// model chooses the ONNX file: the one named, or the usual ones.
func (r *repository) model(s Source) (string, error) {
	var models []string
	for _, f := range r.Siblings {
		if strings.HasSuffix(f.Name, ".onnx") {
			models = append(models, f.Name)
		}
	}
	if s.Path != "" {
		if slices.Contains(models, s.Path) {
			return s.Path, nil
		}
		return "", fmt.Errorf("%s has no file %q; its models are %s", s.Name, s.Path, strings.Join(models, ", "))
	}
	for _, usual := range []string{"onnx/model.onnx", "model.onnx"} {
		if slices.Contains(models, usual) {
			return usual, nil
		}
	}
	switch len(models) {
	case 0:
		return "", fmt.Errorf("%s holds no ONNX file; repositories under onnx-community and Xenova usually do", s.Name)
	case 1:
		return models[0], nil
	}
	return "", fmt.Errorf("%s holds several models; add one of them: #%s", s, strings.Join(models, ", #"))
}

// remoteFile is a file to be fetched.
type remoteFile struct {
	from, to string // name in the repository; name in the module
	size     int64
	sha256   string // "" when the hub does not say
}

// files lists what a model needs: itself, its external data, and the
// configuration files.
func (r *repository) files(model string) []remoteFile {
	external := []string{model + "_data", model + ".data", strings.TrimSuffix(model, ".onnx") + ".data"}
	var out []remoteFile
	for _, f := range r.Siblings {
		to := ""
		switch {
		case f.Name == model, slices.Contains(external, f.Name):
			to = path.Base(f.Name)
		case slices.Contains(configs, f.Name):
			to = f.Name
		default:
			continue
		}
		file := remoteFile{from: f.Name, to: to, size: f.Size}
		if f.LFS != nil {
			file.sha256 = f.LFS.SHA256
		}
		out = append(out, file)
	}
	return out
}

func fetchHub(ctx context.Context, base string, s Source, r *repository, files []remoteFile, dir string, progress Progress) error {
	revision := r.Revision
	if revision == "" {
		revision = s.Version
	}
	if revision == "" {
		revision = "main"
	}
	for _, f := range files {
		address := base + "/" + s.Name + "/resolve/" + url.PathEscape(revision) + "/" + (&url.URL{Path: f.from}).EscapedPath()
		if err := fetchFile(ctx, address, filepath.Join(dir, filepath.FromSlash(f.to)), f.sha256, progress); err != nil {
			return err
		}
	}
	return nil
}
