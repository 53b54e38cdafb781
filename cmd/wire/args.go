package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// optionsFirst moves a command's options before its arguments, because the
// flag package stops at the first argument and people write
// "wire build FILE -o plan". What follows "--" stays where it is.
func optionsFirst(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	commands, i := app.Commands, 1
	var cmd *cli.Command
	for i < len(args) {
		k := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[i]) })
		if k < 0 {
			break
		}
		cmd = commands[k]
		commands = cmd.Subcommands
		i++
	}
	if cmd == nil {
		return args
	}
	takesValue := map[string]bool{}
	for _, f := range cmd.Flags {
		valued, ok := f.(cli.DocGenerationFlag)
		for _, name := range f.Names() {
			takesValue[name] = ok && valued.TakesValue()
		}
	}
	var options, positional []string
	for ; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			positional = append(positional, args[i:]...)
			break
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			positional = append(positional, a)
			continue
		}
		options = append(options, a)
		name := strings.TrimLeft(a, "-")
		if takesValue[name] && i+1 < len(args) {
			i++
			options = append(options, args[i])
		}
	}
	out := slices.Clone(args[:len(args)-len(options)-len(positional)])
	return append(append(out, options...), positional...)
}

// arguments returns the positional arguments, of which there must be a
// certain number.
func arguments(c *cli.Context, want int, usage string) ([]string, error) {
	args := c.Args().Slice()
	if len(args) == want {
		return args, nil
	}
	missing := "needs"
	if len(args) > want {
		missing = "takes only"
	}
	got := "none"
	if len(args) > 0 {
		got = strings.Join(args, " ")
	}
	return nil, usagef("%s %s %s; got %s\nRun \"%s --help\" for examples.", commandName(c), missing, usage, got, c.Command.HelpName)
}

// helpLast reads "wire help build" and "wire connectome help inspect" as the
// same with --help behind.
func helpLast(app *cli.App, args []string) []string {
	commands := app.Commands
	for i := 1; i < len(args); i++ {
		if args[i] == "help" && len(commands) > 0 {
			return append(slices.Delete(slices.Clone(args), i, i+1), "--help")
		}
		k := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[i]) })
		if k < 0 {
			break
		}
		commands = commands[k].Subcommands
	}
	return args
}
