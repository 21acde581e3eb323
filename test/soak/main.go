package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	length := flags.Duration("for", 2*time.Hour, "how long")
	period := flags.Duration("every", 10*time.Minute, "how long a line of the table is")
	seed := flags.Uint64("seed", rand.Uint64N(1_000_000), "the seed of the faults") //nolint:gosec // it is no secret
	logs := flags.String("logs", "", "the folder for the output of the processes; empty: a temporary one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *logs == "" {
		var err error
		if *logs, err = os.MkdirTemp("", "trailship-soak-"); err != nil {
			return err
		}
	}
	ledger, err := startLedger(ctx, *logs, *length, *seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s of load and faults, seed %d; the output of the processes is in %s\n\n", *length, *seed, *logs)
	w := &watch{config: filepath.Join(*logs, "soak", "config-0.yaml"), period: *period, out: out}
	err = w.until(ctx, ledger.done)
	if err == nil {
		err = w.summary()
	}
	table, readErr := os.ReadFile(ledger.output)
	fmt.Fprintf(out, "\n%s", table)
	return errors.Join(err, readErr, ledger.err)
}

// ledger is the process that plays the row.
type ledger struct {
	output string
	done   chan struct{} // closed when it has ended
	err    error         // how it ended; read it when done is closed
}

// startLedger builds the ledger and lets it play its row soak.
func startLedger(ctx context.Context, logs string, length time.Duration, seed uint64) (*ledger, error) {
	binary := filepath.Join(logs, "ledger")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/trailship/trailship/test/ledger")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building the ledger: %w", err)
	}
	l := &ledger{output: filepath.Join(logs, "ledger.txt"), done: make(chan struct{})}
	file, err := os.Create(l.output)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "-rows", "soak", "-for", length.String(), "-seed", strconv.FormatUint(seed, 10), "-logs", logs)
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the ledger: %w", err)
	}
	go func() {
		defer close(l.done)
		l.err = errors.Join(cmd.Wait(), file.Close())
	}()
	return l, nil
}
