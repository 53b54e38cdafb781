package spread

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
	at, err := packed(files)
	if err != nil {
		return "", err
	}
	defer os.Remove(at)
	if name, err = sumOf(at); err != nil {
		return "", err
	}
	store, err := l.directories(ctx)
	if err != nil {
		return "", fmt.Errorf("server %s: %w", l.URL, err)
	}
	if err := putFile(ctx, store, name, at); err != nil {
		return "", fmt.Errorf("send %s to %s: %w", dir, l.URL, err)
	}
	return name, nil
}

// GetDirectory fetches what PutDirectory stored into a directory.
func (l *Link) GetDirectory(ctx context.Context, name, dir string) error {
	store, err := l.directories(ctx)
	if err != nil {
		return fmt.Errorf("server %s: %w", l.URL, err)
	}
	if err := unpack(ctx, store, name, name, dir); err != nil {
		return fmt.Errorf("fetch %s from %s: %w", name, l.URL, err)
	}
	return nil
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
