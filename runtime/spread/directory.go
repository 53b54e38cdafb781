package spread

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/connectomewire/wire/internal/archive"
)

// directoryBucket keeps directories for as long as directoryAge.
const (
	directoryBucket = "wire_directories"
	directoryAge    = 7 * 24 * time.Hour
)

// Conn is the connection itself. It belongs to the link.
func (l *Link) Conn() *nats.Conn { return l.nc }

func (l *Link) directories(ctx context.Context) (jetstream.ObjectStore, error) {
	return l.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: directoryBucket, TTL: directoryAge})
}

// PutDirectory stores a directory for others and returns the SHA-256 that it is
// found by. The same files have the same.
func (l *Link) PutDirectory(ctx context.Context, dir string) (name string, err error) {
	files := map[string]string{}
	if err := below(dir, "", func(string) bool { return false }, files); err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "wire-directory")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := pack(f, files); err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := newSum()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	name = hex.EncodeToString(h.Sum(nil))
	store, err := l.directories(ctx)
	if err != nil {
		return "", fmt.Errorf("server %s: %w", l.URL, err)
	}
	ctx, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	if _, err := store.Put(ctx, jetstream.ObjectMeta{Name: name}, f); err != nil {
		return "", fmt.Errorf("send %s to %s: %w", dir, l.URL, err)
	}
	return name, nil
}

// GetDirectory fetches what PutDirectory stored into a directory.
func (l *Link) GetDirectory(ctx context.Context, name, dir string) error {
	ctx, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	store, err := l.directories(ctx)
	if err != nil {
		return fmt.Errorf("server %s: %w", l.URL, err)
	}
	object, err := store.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("fetch %s from %s: %w", name, l.URL, err)
	}
	defer object.Close()
	at := filepath.Join(dir, ".input")
	f, err := os.Create(at)
	if err != nil {
		return err
	}
	defer os.Remove(at)
	h := newSum()
	_, err = io.Copy(io.MultiWriter(f, h), object)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := h.text(); got != name {
		return fmt.Errorf("what was fetched has the SHA-256 %s; want %s", got, name)
	}
	_, err = archive.Extract(ctx, at, dir, archive.Options{Limits: inputLimits})
	return err
}

// ForgetDirectory drops what PutDirectory stored.
func (l *Link) ForgetDirectory(ctx context.Context, name string) error {
	store, err := l.directories(ctx)
	if err == nil {
		err = store.Delete(ctx, name)
	}
	if errors.Is(err, jetstream.ErrObjectNotFound) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
