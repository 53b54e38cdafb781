package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// groupingFlags say which regions share a process.
func groupingFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "processes", Usage: "divide the regions among `N` processes by their arithmetic; 0 chooses", Category: "running"},
		&cli.StringFlag{Name: "groups", Usage: "give each lobe or region a process: `lobe|region|FILE`, a file of lines of a region and its group", Category: "running"},
		&cli.BoolFlag{Name: "float16", Usage: "keep the matrices of tracts in 16 bits: half the memory, and faster one by one; answers may change (wire eval --float16 counts)", Category: "running"},
	}
}

// grouping sets which regions share a process, for which answers are the same,
// and in how many bits their matrices are kept.
func grouping(c *cli.Context, p *wiring.Plan, config *runtime.Config) error {
	config.Processes, config.Half = c.Int("processes"), c.Bool("float16")
	name := c.String("groups")
	if name != "" && config.Processes != 0 {
		return usagef("--processes and --groups exclude each other")
	}
	switch name {
	case "":
		return nil
	case "lobe":
		config.Groups = runtime.ByLobe(p)
		return nil
	case "region":
		config.Groups = runtime.ByRegion(p)
		return nil
	}
	group, err := readGroups(name, p)
	if err != nil {
		return err
	}
	config.Groups = runtime.By(p, func(j int) string { return group[j] })
	return nil
}

// readGroups reads lines of a region's label and its group, which begins after
// the first space. Every region must be there once.
func readGroups(name string, p *wiring.Plan) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--groups is lobe, region or a file: %w", err)
	}
	defer f.Close()
	group := make([]string, len(p.Regions))
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		label, of, _ := strings.Cut(line, "\t")
		if of == "" {
			label, of, _ = strings.Cut(line, " ")
		}
		if of = strings.TrimSpace(of); of == "" {
			return nil, fmt.Errorf("%s:%d: %q has no group; want a region and its group", name, n, line)
		}
		j, err := p.Index(strings.TrimSpace(label))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if group[j] != "" {
			return nil, fmt.Errorf("%s:%d: region %q is there twice", name, n, label)
		}
		group[j] = of
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for j, g := range group {
		if g == "" {
			return nil, fmt.Errorf("%s: region %q has no group", name, p.Regions[j].Label)
		}
	}
	return group, nil
}
