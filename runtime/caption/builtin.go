package caption

import (
	"io/fs"

	"github.com/connectomewire/wire/modules/zoo"
)

// builtin returns the files of a module embedded in the program.
func builtin(name string) (fs.FS, bool) {
	files, err := zoo.FS(name)
	return files, err == nil
}

// builtinNames lists the embedded modules.
func builtinNames() []string { return zoo.Names() }
