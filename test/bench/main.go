package main

import (
	"context"
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
	rows := flags.String("rows", "throughput,large,life", "which rows to measure")
	flags.IntVar(&s.records, "records", 1_000_000, "records of the row throughput")
	flags.StringVar(&s.binary, "binary", "", "the trailship to measure; empty: build it")
	flags.StringVar(&s.samples, "samples", "test/samples/invictus", "folder of sample files")
	flags.DurationVar(&s.idle, "idle", 10*time.Second, "how long idleness is watched")
	flags.BoolVar(&s.strict, "strict", false, "a missed bound is an error")
	standIn := flags.Bool("stand-in", false, "be the stand-in (the bench starts itself so)")
	objects := flags.Int("objects", 0, "with -stand-in: how many objects")
	perObject := flags.Int("per-object", 50, "records of an object")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *standIn {
		return serve(ctx, s.samples, *objects, *perObject)
	}
	if s.binary == "" {
		built, remove, err := build(ctx)
		if err != nil {
			return err
		}
		defer remove()
		s.binary = built
	}
	return measure(ctx, s, strings.Split(*rows, ","), *perObject, out)
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
func measure(ctx context.Context, s setting, rows []string, perObject int, out io.Writer) error {
	const minRate, largeObject = 35_000, 40_000
	var figures []figure
	for _, row := range []struct {
		name string
		run  func() ([]figure, error)
	}{
		{"throughput", func() ([]figure, error) { return throughput(ctx, s, s.records, perObject, minRate) }},
		{"large", func() ([]figure, error) { return throughput(ctx, s, largeObject, largeObject, 0) }},
		{"life", func() ([]figure, error) { return life(ctx, s) }},
	} {
		if !slices.Contains(rows, row.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: measuring %s\n", row.name)
		more, err := row.run()
		if err != nil {
			return fmt.Errorf("measuring %s: %w", row.name, err)
		}
		figures = append(figures, more...)
	}
	missed := 0
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tmeasured\tbound\t")
	for _, f := range figures {
		verdict := ""
		if !f.ok {
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
