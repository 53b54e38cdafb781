package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// release is the version of a release build, set with
// -ldflags "-X main.release=v0.1.0".
var release = ""

// buildInfo is what `wire version` prints.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Revision = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			case "vcs.time":
				b.Time = s.Value
			}
		}
		if v := info.Main.Version; b.Version == "" && v != "" && v != "(devel)" {
			b.Version = v
		}
	}
	if b.Version == "" {
		b.Version = "devel"
	}
	return b
}

// version is the short form.
func version() string {
	b := readBuildInfo()
	if b.Version == "devel" && len(b.Revision) >= 12 {
		return "devel-" + b.Revision[:12]
	}
	return b.Version
}

// codeVersion tells programs of different code from each other: by the version of
// a release or the revision it was built from, else by the program's checksum.
func codeVersion() string {
	b := readBuildInfo()
	if !b.Modified && (b.Version != "devel" || b.Revision != "") {
		return version()
	}
	path, err := os.Executable()
	if err != nil {
		return version()
	}
	f, err := os.Open(path)
	if err != nil {
		return version()
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return version()
	}
	return version() + " " + hex.EncodeToString(h.Sum(nil))[:16]
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(c *cli.Context) error {
			b := readBuildInfo()
			if c.Bool("json") {
				return printJSON(c.App.Writer, b)
			}
			fmt.Fprintf(c.App.Writer, "wire %s (%s, %s)\n", version(), b.Go, b.Platform)
			return nil
		},
	}
}

// completionCommand prints what a shell needs to complete wire's commands.
func completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a shell's completion script", ArgsUsage: "bash|zsh|fish",
		Description: "   source <(wire completion bash)\n" +
			"   source <(wire completion zsh)\n" +
			"   wire completion fish > ~/.config/fish/completions/wire.fish",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, "bash|zsh|fish")
			if err != nil {
				return err
			}
			switch args[0] {
			case "bash":
				fmt.Fprint(c.App.Writer, bashCompletion)
			case "zsh":
				fmt.Fprint(c.App.Writer, zshCompletion)
			case "fish":
				script, err := c.App.ToFishCompletion()
				if err != nil {
					return err
				}
				fmt.Fprint(c.App.Writer, script)
			default:
				return usagef("there is no completion for %q; choose bash, zsh or fish", args[0])
			}
			return nil
		},
	}
}

const bashCompletion = `_wire() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words
  words="$("${COMP_WORDS[@]:0:COMP_CWORD}" --generate-bash-completion 2>/dev/null)"
  COMPREPLY=($(compgen -W "$words" -f -- "$cur"))
}
complete -o filenames -F _wire wire
`

const zshCompletion = `#compdef wire
_wire() {
  local -a words
  words=("${(@f)$("${words[@]:0:#words[@]-1}" --generate-bash-completion 2>/dev/null)}")
  _describe 'wire' words || _files
}
compdef _wire wire
`
