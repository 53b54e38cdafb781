package library

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
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
func viewHub(ctx context.Context, s Source, opt *PullOptions) (*repository, error) {
	revision := s.Version
	if revision == "" {
		revision = "main"
	}
	address := opt.hub() + "/api/models/" + s.Name + "/revision/" + url.PathEscape(revision) + "?blobs=true"
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := opt.client().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s answered %s; is the name right, and the repository public?", s, req.URL.Host, resp.Status)
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
var configs = []string{"config.json", "preprocessor_config.json", "generation_config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json", labelsFile}

// isConfig reports whether [Describe] reads a file beside a model.
func isConfig(name string) bool {
	return slices.Contains(configs, name) || strings.HasSuffix(name, classMap) && !strings.ContainsAny(name, `/\`)
}

// configsIn lists those of a directory.
func configsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && isConfig(e.Name()) {
			names = append(names, e.Name())
		}
	}
	for _, name := range configs {
		if strings.Contains(name, "/") {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// models chooses the ONNX files: those named, or the usual ones.
func (r *repository) models(s Source) ([]string, error) {
	var models []string
	for _, f := range r.Siblings {
		if strings.HasSuffix(f.Name, ".onnx") {
			models = append(models, f.Name)
		}
	}
	for _, p := range s.Paths() {
		if !slices.Contains(models, p) {
			return nil, fmt.Errorf("%s has no file %q; its models are %s", s.Name, p, strings.Join(models, ", "))
		}
	}
	if s.Path != "" {
		return s.Paths(), nil
	}
	if chosen := usual(models); chosen != nil {
		return chosen, nil
	}
	if len(models) == 0 {
		return nil, fmt.Errorf("%s holds no ONNX file; repositories under onnx-community and Xenova usually do", s.Name)
	}
	return nil, fmt.Errorf("%s holds several models; add one of them, or several that belong together, joined by commas: #%s", s, strings.Join(models, ", #"))
}

// remoteFile is a file to be fetched.
type remoteFile struct {
	from, to string // name in the repository; name in the module
	size     int64
	sha256   string // "" when the hub does not say
}

// files lists what models need: themselves, their external data, and the
// configuration files.
func (r *repository) files(models []string) []remoteFile {
	var wanted []string
	for _, m := range models {
		wanted = append(wanted, withData(m)...)
	}
	var out []remoteFile
	for _, f := range r.Siblings {
		to := ""
		switch {
		case slices.Contains(wanted, f.Name):
			to = path.Base(f.Name)
		case isConfig(f.Name):
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

func fetchHub(ctx context.Context, s Source, r *repository, files []remoteFile, dir string, opt *PullOptions) error {
	revision := r.Revision
	if revision == "" {
		revision = s.Version
	}
	if revision == "" {
		revision = "main"
	}
	for _, f := range files {
		address := opt.hub() + "/" + s.Name + "/resolve/" + url.PathEscape(revision) + "/" + (&url.URL{Path: f.from}).EscapedPath()
		if err := fetchFile(ctx, address, filepath.Join(dir, filepath.FromSlash(f.to)), f.sha256, opt); err != nil {
			return err
		}
	}
	return nil
}
