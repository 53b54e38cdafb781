package caption

import "io/fs"

// builtin returns the files of a module embedded in the program.
func builtin(string) (fs.FS, bool) { return nil, false }

// builtinNames lists the embedded modules.
func builtinNames() []string { return nil }
