// Command wire turns a connectome file into a wiring plan, trains it, runs it
// and draws it.
package main

import (
	"github.com/connectomewire/wire/internal/edit"
	_ "github.com/connectomewire/wire/wiring/task/all" // the kinds of tasks

	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() {
	// The first signal asks a command to stop and to keep what it has done;
	// from then on signals act as they do by default, so a second one kills.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := execute(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // as a shell reports SIGINT
	exitTerminated  = 143 // and SIGTERM
)

// usageError is a mistake on the command line rather than in a file.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usagef makes an error that ends with exit code 2.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	app := newApp(stdout, stderr)
	err := app.RunContext(ctx, optionsFirst(app, helpLast(app, args)))
	var exit cli.ExitCoder
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		if cause := context.Cause(ctx); strings.HasPrefix(cause.Error(), syscall.SIGTERM.String()) {
			fmt.Fprintln(stderr, "wire: terminated")
			return exitTerminated
		}
		fmt.Fprintln(stderr, "wire: interrupted")
		return exitInterrupted
	case errors.As(err, new(usageError)):
		fmt.Fprintln(stderr, "wire: "+message(err))
		return exitUsage
	case errors.As(err, &exit):
		if msg := err.Error(); msg != "" {
			fmt.Fprintln(stderr, "wire: "+msg)
		}
		return exit.ExitCode()
	case strings.HasPrefix(err.Error(), "Required flag"): // the library's type is its own
		fmt.Fprintf(stderr, "wire: %s missing\nRun \"%s --help\" for examples.\n", missingOptions(err.Error()), commandOf(app, args))
		return exitUsage
	default:
		fmt.Fprintln(stderr, "wire: "+message(err))
		return exitFailed
	}
}

// message is an error for people: a file that is not there is told without the
// system call that found out.
func message(err error) string {
	msg := err.Error()
	if path := (*fs.PathError)(nil); errors.As(err, &path) && errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(path.Op, "stat") {
		return strings.Replace(msg, path.Error(), fmt.Sprintf("there is no file or folder %q", path.Path), 1)
	}
	return msg
}

// missingOptions says which options the command line library misses, as one
// writes them: "--output is", "--output and --step are".
func missingOptions(msg string) string {
	var names []string
	for i, part := range strings.Split(msg, `"`) {
		if i%2 == 1 {
			for _, name := range strings.Split(part, ", ") {
				names = append(names, "--"+name)
			}
		}
	}
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "") + " is"
	}
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are"
}

// commandOf is the command that a line calls, with its program.
func commandOf(app *cli.App, args []string) string {
	words, commands := []string{app.Name}, app.Commands
	for _, a := range args[min(1, len(args)):] {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(a) })
		if i < 0 {
			break
		}
		words, commands = append(words, commands[i].Name), commands[i].Subcommands
	}
	return strings.Join(words, " ")
}

// await returns what do gives, or ctx's error as soon as ctx ends. do is then
// left behind for the moment that the process still lives; it must not write
// anything that outlives the process.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := do()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// newApp is the command line.
func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:  "wire",
		Usage: "wire frozen pretrained models together along the tracts of a brain",
		Description: "A connectome file becomes a wiring plan; the plan's tracts are trained, run and drawn.\n\n" +
			"   wire demo                                      see and hear it work, offline\n" +
			"   wire build connectome.csv --recipe captioning -o plan\n" +
			"   wire train plan --data ~/.cache/wire/data\n" +
			"   wire run plan --image cat.png\n" +
			"   wire render plan -o plan.svg",
		Writer:                 stdout,
		ErrWriter:              stderr,
		HideHelpCommand:        true,
		EnableBashCompletion:   true,
		UseShortOptionHandling: true,
		// Values may hold commas: regions of a place, numbers of a vector.
		DisableSliceFlagSeparator: true,
		Version:                   version(),
		Commands: []*cli.Command{
			demoCommand(), recipeCommand(), buildCommand(), renderCommand(), trainCommand(), calibrateCommand(), evalCommand(), runCommand(), replayCommand(), serveCommand(),
			nullCommand(), lesionCommand(), rerouteCommand(), graftCommand(), experimentCommand(), verdictCommand(), workerCommand(), multiverseCommand(),
			connectomeCommand(), dataCommand(), modulesCommand(), enginesCommand(), versionCommand(), completionCommand(),
		},
		// Errors are printed and turned into exit codes by execute.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError: func(c *cli.Context, err error, _ bool) error {
			return usagef("%s\nRun \"%s --help\" for what there is.", mistake(err, c.App.Flags), c.App.Name)
		},
		Action: func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return usagef("there is no command %q%s\nRun \"wire --help\" for what there is.", name, edit.Suggestion(name, commandNames(c.App.Commands)))
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, cmd := range app.Commands {
		harden(cmd)
	}
	return app
}

// commandNames are the names of commands, those that help does not list left out.
func commandNames(commands []*cli.Command) (names []string) {
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

// mistake puts what the flag package says of an option in the words of the
// other messages; flags are those that there are.
func mistake(err error, flags []cli.Flag) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		name = strings.TrimPrefix(name, "-")
		if len(name) == 1 {
			return "there is no option -" + name
		}
		var known []string
		for _, f := range flags {
			known = append(known, f.Names()[0])
		}
		return "there is no option --" + name + strings.ReplaceAll(edit.Suggestion(name, known), `mean "`, `mean "--`)
	}
	var value, name, why string
	if n, _ := fmt.Sscanf(text, "invalid value %q for flag -%s %s", &value, &name, &why); n == 3 && why == "parse" {
		return "--" + strings.TrimSuffix(name, ":") + " " + value + ": not a number of the kind that is wanted"
	}
	return text
}

// harden gives a command the same answer to mistakes as its parent's, and has
// its options checked before it runs.
func harden(cmd *cli.Command) {
	cmd.Before = checkOptions
	cmd.OnUsageError = func(c *cli.Context, err error, _ bool) error {
		return usagef("%s\nRun \"%s --help\" for what there is.", mistake(err, c.Command.Flags), c.Command.HelpName)
	}
	switch do := cmd.Action; {
	case len(cmd.Subcommands) > 0:
		cmd.HideHelpCommand = true
		cmd.Action = func(c *cli.Context) error {
			if name := c.Args().First(); name != "" {
				return usagef("there is no command %q%s\nRun \"%s --help\" for what there is.", commandName(c)+" "+name, edit.Suggestion(name, commandNames(cmd.Subcommands)), c.Command.HelpName)
			}
			return cli.ShowSubcommandHelp(c)
		}
	case cmd.ArgsUsage == "" && do != nil:
		cmd.Action = func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("%s takes no arguments; got %s\nRun \"%s --help\" for examples.", commandName(c), strings.Join(c.Args().Slice(), " "), c.Command.HelpName)
			}
			return do(c)
		}
	}
	for _, sub := range cmd.Subcommands {
		harden(sub)
	}
}
