package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if text := os.Getenv(standInEnv); text != "" {
		return beStandIn(ctx, text)
	}
	flags := flag.NewFlagSet("ledger", flag.ContinueOnError)
	s := setting{scale: 1}
	names := flags.String("rows", "", "which rows to play, with commas between; empty: all")
	list := flags.Bool("list", false, "list the rows")
	long := flags.Bool("full", false, "the long form: five times the load and its time, and an hour of random faults")
	atOnce := flags.Int("at-once", 8, "rows that are played at the same time")
	length := flags.Duration("for", 0, "how long the rows random and soak last; 0: 2m, or 1h in the long form")
	flags.Uint64Var(&s.seed, "seed", rand.Uint64N(1_000_000), "the seed of all that is random") //nolint:gosec // it is no secret
	flags.StringVar(&s.binary, "binary", "", "the trailship to test; empty: build it")
	flags.StringVar(&s.logs, "logs", "", "the folder for the output of the processes; empty: a temporary one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *long {
		s.scale = full
	}
	rows, err := choose(allRows(s.scale, *length, s.seed), *names)
	if err != nil {
		return err
	}
	if *list {
		return printList(out, rows)
	}
	if s.logs == "" {
		if s.logs, err = os.MkdirTemp("", "trailship-ledger-"); err != nil {
			return err
		}
	}
	if s.binary == "" {
		s.binary = filepath.Join(s.logs, "trailship")
		if err := build(ctx, s.binary); err != nil {
			return err
		}
	}
	if err := s.buildStepped(ctx, rows); err != nil {
		return err
	}
	results, err := playAll(ctx, s, rows, *atOnce)
	if err != nil {
		return err
	}
	if err := printTable(out, results, s); err != nil {
		return err
	}
	return verdict(results, s.logs)
}

// verdict is an error when a row did not pass; otherwise nobody will want to read the output.
func verdict(results []*result, logs string) error {
	failed := 0
	for _, r := range results {
		if len(r.problems) > 0 {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d rows failed; the output of the processes is in %s", failed, len(results), logs)
	}
	return nil
}

// beStandIn is the other process.
func beStandIn(ctx context.Context, text string) error {
	var me role
	if err := json.Unmarshal([]byte(text), &me); err != nil {
		return fmt.Errorf("reading %s: %w", standInEnv, err)
	}
	length, err := time.ParseDuration(me.For)
	if err != nil {
		return fmt.Errorf("reading %s: %w", standInEnv, err)
	}
	rows, err := choose(allRows(me.Scale, length, me.Seed), me.Row)
	if err != nil {
		return err
	}
	return serve(ctx, rows[0], me.Seed)
}

// choose returns the rows of these names, with commas between; for no name those that nobody has to ask for.
func choose(rows []*row, names string) ([]*row, error) {
	if names == "" {
		return slices.DeleteFunc(rows, func(r *row) bool { return r.asked }), nil
	}
	var chosen []*row
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(rows, func(r *row) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q: ledger -list names them", name)
		}
		chosen = append(chosen, rows[i])
	}
	return chosen, nil
}

// full is the scale of the long form.
const full = 5

// longestFirst are the positions of the rows in the order of playing them, so that none of the long ones is left for the end.
func longestFirst(rows []*row) []int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	length := func(i int) time.Duration { return rows[i].lasts() + rows[i].bound/6 }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(length(b), length(a)) })
	return order
}

// playAll plays rows, some at a time. It keeps their order.
func playAll(ctx context.Context, s setting, rows []*row, atOnce int) ([]*result, error) {
	results := make([]*result, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, atOnce))
	for _, i := range longestFirst(rows) {
		group.Go(func() (err error) {
			if results[i], err = play(ctx, s, rows[i]); err != nil {
				return fmt.Errorf("playing %s: %w", rows[i].name, err)
			}
			return nil
		})
	}
	return results, group.Wait()
}

const daemonPackage = "github.com/trailship/trailship/cmd/trailship"

// build builds the daemon as it is released.
func build(ctx context.Context, binary string, flags ...string) error {
	args := append([]string{"build", "-o", binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, daemonPackage)...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building trailship: %w", err)
	}
	return nil
}

func printList(out io.Writer, rows []*row) error {
	for _, r := range rows {
		var what []string
		for _, f := range r.faults {
			if text := string(f.kind); !slices.Contains(what, text) {
				what = append(what, text)
			}
		}
		if _, err := fmt.Fprintf(out, "%-20s %s\n", r.name, strings.Join(what, ", ")); err != nil {
			return err
		}
	}
	return nil
}
