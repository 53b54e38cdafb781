package datasets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/connectomewire/wire/internal/cachedir"
	"github.com/connectomewire/wire/internal/codecache"
	"github.com/connectomewire/wire/internal/resvg"
)

// Cache is the directory of unpacked packages.
type Cache struct {
	// Dir holds one directory a package.
	Dir string

	once   sync.Once
	svg    *resvg.Renderer
	svgErr error

	namingOnce sync.Once
	naming     *naming
	namingErr  error
}

// DefaultCacheDir is data below $WIRE_CACHE, or wire/data in the user's cache
// directory.
func DefaultCacheDir() (string, error) { return cachedir.Dir("data") }

// OpenCache uses dir, or [DefaultCacheDir] if it is empty. The directory
// need not exist yet.
func OpenCache(dir string) (*Cache, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultCacheDir(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &Cache{Dir: dir}, nil
}

// Installed describes a package in the cache; it is kept beside the
// package's files.
type Installed struct {
	Package string `json:"package"`
	Client  string `json:"client"` // "apt-get" or "npm"
	File    string `json:"file"`   // name of the downloaded file, which holds the version
	SHA256  string `json:"sha256"` // of the downloaded file
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
	Licence string `json:"licence"`
}

const installedName = "wire.json"

// ErrMissing reports a package that has not been pulled.
var ErrMissing = errors.New("not pulled yet")

// Installed reads the description of a package in the cache. The error
// wraps [ErrMissing] if it has not been pulled.
func (c *Cache) Installed(name string) (Installed, error) {
	p, err := packageByName(name)
	if err != nil {
		return Installed{}, err
	}
	var i Installed
	data, err := os.ReadFile(filepath.Join(c.Dir, p.dir(), installedName))
	if errors.Is(err, fs.ErrNotExist) {
		return i, fmt.Errorf("package %s: %w; run: wire data pull %s", name, ErrMissing, name)
	}
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(data, &i); err != nil {
		return i, fmt.Errorf("package %s: %s is damaged (%w); pull it again", name, installedName, err)
	}
	return i, nil
}

// path is the place of a package's file in the cache.
func (c *Cache) path(name string, elements ...string) string {
	p, err := packageByName(name)
	if err != nil {
		return filepath.Join(append([]string{c.Dir, "unknown"}, elements...)...)
	}
	return filepath.Join(append([]string{c.Dir, p.dir()}, elements...)...)
}

// renderer gives the SVG renderer, compiled on first use.
func (c *Cache) renderer() (*resvg.Renderer, error) {
	c.once.Do(func() {
		if _, c.svgErr = c.Installed(rendererPackage); c.svgErr != nil {
			return
		}
		wasm, err := os.ReadFile(c.path(rendererPackage, "package", "index_bg.wasm"))
		if err != nil {
			c.svgErr = err
			return
		}
		c.svg, c.svgErr = resvg.New(context.Background(), wasm, codecache.Dir())
	})
	return c.svg, c.svgErr
}
