//go:build unix

package codecache

import (
	"os"
	"syscall"
)

// private says whether dir is a directory, not a link to one, that is ours
// and closed to everyone else.
func private(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || !ours(info) {
		return false
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700) == nil && onlyOurs(dir)
	}
	return true
}

// onlyOurs says whether nothing in dir, which was open to others until now,
// was put there by them.
func onlyOurs(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

func ours(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}

// madeByUs says whether what we make in dir belongs there: dir is ours, or
// everybody's as the temporary directory is.
func madeByUs(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && (ours(info) || info.Mode()&os.ModeSticky != 0)
}
