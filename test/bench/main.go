package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	s := setting{}
	usual, more := rows()
	chosen := flags.String("rows", names(usual), "which rows to measure; also: "+names(more))
	flags.IntVar(&s.records, "records", 1_000_000, "records of the row records53; other rows have a part of them")
	flags.StringVar(&s.binary, "binary", "", "the trailship to measure; empty: build it")
	flags.StringVar(&s.samples, "samples", "test/samples/invictus", "folder of sample files")
	flags.DurationVar(&s.idle, "idle", 10*time.Second, "how long idleness is watched")
	flags.BoolVar(&s.strict, "strict", false, "a missed bound is an error")
	flags.BoolVar(&s.short, "short", false, "a look at a few rows in well under a minute, too short to judge by")
	flags.StringVar(&s.opensearch, "opensearch", "", "address of an OpenSearch for the row opensearch; empty: start the one that test/servers/install has fetched")
	scene := flags.String("stand-in", "", "be the stand-in of this scene (the bench starts itself so)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *scene != "" {
		return play(ctx, *scene)
	}
	if s.short {
		s.records, s.strict, *chosen = 120_000, false, "records53,records1,latency,slow"
	}
	if s.binary == "" {
		built, remove, err := build(ctx)
		if err != nil {
			return err
		}
		defer remove()
		s.binary = built
	}
	return measure(ctx, s, slices.Concat(usual, more), strings.Split(*chosen, ","), out)
}

func names(rows []row) string {
	var all []string
	for _, r := range rows {
		all = append(all, r.name)
	}
	return strings.Join(all, ",")
}

// build builds the daemon into a temporary folder.
func build(ctx context.Context) (binary string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "trailship-bench-bin-")
	if err != nil {
		return "", nil, err
	}
	binary = filepath.Join(dir, "trailship")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/trailship")
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return binary, func() { _ = os.RemoveAll(dir) }, cmd.Run()
}

// measure prints the table. A bound that is not met is an error only when the caller is strict: a slow machine is no bug.
func measure(ctx context.Context, s setting, rows []row, chosen []string, out io.Writer) error {
	var figures []figure
	for _, r := range rows {
		if !slices.Contains(chosen, r.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: measuring %s: %s\n", r.name, r.what)
		more, err := r.run(ctx, s)
		figures = append(figures, more...)
		if err != nil {
			return errors.Join(fmt.Errorf("measuring %s: %w", r.name, err), s.show(figures, out))
		}
	}
	return s.show(figures, out)
}

// show prints the figures.
func (s setting) show(figures []figure, out io.Writer) error {
	missed := 0
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tmeasured\tbound\t")
	for _, f := range figures {
		verdict := ""
		switch {
		case !f.ok && s.short:
			verdict = "short form: too short to judge"
		case !f.ok:
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.what, f.got, f.bound, verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missed > 0 && s.strict {
		return fmt.Errorf("%d bounds missed", missed)
	}
	return nil
}
