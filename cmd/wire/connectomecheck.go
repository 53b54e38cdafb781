package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/doctor"
)

// acceptFlag lets a command go on in spite of an error of the doctor's.
func acceptFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "accept", Usage: "go on in spite of the error `CODE` that \"wire connectome doctor\" finds: " + strings.Join(doctor.Acceptable, ", ")}
}

// accepted are the codes given with --accept.
func accepted(c *cli.Context) ([]string, error) {
	codes := c.StringSlice("accept")
	if _, _, err := doctor.Check(&connectome.Connectome{}, codes...); err != nil {
		return nil, usagef("--accept: %v", err)
	}
	return codes, nil
}

// warnConnectome prints what the doctor finds wrong, for commands that go on
// all the same.
func warnConnectome(c *cli.Context, brain *connectome.Connectome) error {
	errors, warnings, err := doctor.Check(brain)
	if err != nil {
		return err
	}
	for _, f := range append(errors, warnings...) {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", ownNames(c, f.String()))
	}
	return nil
}

// checkConnectome examines a connectome before a command uses it: warnings are
// printed, an error that --accept does not name stops the command.
func checkConnectome(c *cli.Context, brain *connectome.Connectome) error {
	errors, warnings, err := doctor.Check(brain, c.StringSlice("accept")...)
	if err != nil {
		return usagef("--accept: %v", err)
	}
	for _, f := range warnings {
		fmt.Fprintf(c.App.ErrWriter, "warning: %s\n", ownNames(c, f.String()))
	}
	if len(errors) == 0 {
		return nil
	}
	var lines, accept []string
	for _, f := range errors {
		lines = append(lines, ownNames(c, f.String()))
		accept = append(accept, "--accept "+f.Code)
	}
	return fmt.Errorf("%s: %s\n(%s goes on all the same; \"wire connectome doctor\" says more)", brain.Name, strings.Join(lines, "\n"), strings.Join(accept, " "))
}
