package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hotpath:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("hotpath", flag.ContinueOnError)
	rounds := flags.Int("rounds", 7, "how often path and floor take turns; the median counts")
	profile := flags.String("profile", "", "write a CPU profile of the path to this file")
	with := flags.Bool("with", false, "measure what enrichment and filters add to the path, and nothing else")
	folder := flags.String("corpus", "", "write the log files to this folder, and measure nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *with {
		return additions(out, *rounds)
	}
	large, err := makeCorpus(100, 1000)
	if err != nil {
		return err
	}
	if *folder != "" {
		return large.write(*folder)
	}
	if *profile != "" {
		return profiled(out, *profile, large, *rounds)
	}
	small, err := makeCorpus(2000, 53)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "corpus\tinflate\tdeflate\tfloor\tpath\tratio\tbound\tallocations")
	for _, row := range []struct {
		what   string
		corpus *corpus
		bound  float64
	}{
		{"100 files × 1,000 records", large, 1.35},
		{"2,000 files × 53 records", small, 1.40},
	} {
		m, err := compare(row.corpus, *rounds)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.3f\t%.2f\t%s\n", row.what, m.each(m.inflate), m.each(m.deflate),
			m.each(m.inflate+m.deflate), m.each(m.path), m.ratio, row.bound, m.allocations())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return more(out, large, *rounds)
}

// more prints what is not a comparison with the floor.
func more(out io.Writer, c *corpus, rounds int) error {
	factor, err := twoCores(c, rounds, newPath(), [2]*path{newPath(), newPath()})
	if err != nil {
		return err
	}
	machine, err := twoCores(c, rounds, newFloor(), [2]*floor{newFloor(), newFloor()})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\ntwo cores over one: %.2f times the rate (bound 1.75); inflating and compressing alone: %.2f times\n", factor, machine)
	grown, size, err := memory()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "one file of 40,000 records, %d MB: %.1f MiB over the idle process (bound 16)\n", size/1e6, float64(grown)/(1<<20))
	return err
}

// profiled runs the path alone under the profiler.
func profiled(out io.Writer, name string, c *corpus, rounds int) error {
	runtime.GOMAXPROCS(1)
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	p := newPath()
	var took time.Duration
	for range rounds {
		once, err := p.all(c)
		if err != nil {
			return err
		}
		took += once
	}
	pprof.StopCPUProfile()
	fmt.Fprintf(out, "%v a record\n", took/time.Duration(c.records*rounds))
	return f.Close()
}

// write writes the log files.
func (c *corpus) write(folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	for i, file := range c.files {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.json.gz", i)), file, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func median[T int | float64 | time.Duration](of []T) T {
	slices.Sort(of)
	return of[len(of)/2]
}
