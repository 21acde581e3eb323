package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/web"
)

const demoHelp = `demo shows what trailship does, with no AWS, no cluster and no configuration: it starts S3 and SQS inside of itself, puts
sample CloudTrail files there, ships them into an event store in a temporary folder through the same code and AWS SDK
clients as the daemon, and prints what came of it. Then it shows the events on a page, until Ctrl-C.

The records are real ones of a test account in which attack techniques were tried, and a few console logins.`

const demoExample = `  trailship demo
  trailship demo --once
  trailship demo --listen 127.0.0.1:0`

func newDemo(exit func(int)) *cobra.Command {
	var address string
	var once bool
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Ship sample files into a local store and show the events, without AWS or a cluster",
		Long:    demoHelp,
		Example: demoExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context(), exit)
			defer stop()
			var shown *page
			if !once {
				c := web.Config{Listen: address}
				if err := c.Validate(); err != nil {
					return fmt.Errorf("reading --listen: %w", err)
				}
				var err error
				if shown, err = listenForPage(ctx, c); err != nil {
					return err
				}
				defer shown.close()
			}
			return worked(demonstrate(ctx, shown, cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "where the page is served; port 0 takes any that is free")
	cmd.Flags().BoolVar(&once, "once", false, "end after the tables, without the page")
	return cmd
}

// demonstrate ships the samples, prints the tables and, with somewhere to show it, serves the page until ctx ends.
func demonstrate(ctx context.Context, shown *page, out, errs io.Writer) error {
	dir, err := os.MkdirTemp("", "trailship-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	log, err := newLogger(config.Log{Level: "warn", Format: "console"}, zapcore.AddSync(errs))
	if err != nil {
		return err
	}
	cloud, err := newDemoCloud(ctx)
	if err != nil {
		return err
	}
	defer cloud.close()
	store := dir + "/events.db"
	shipped, err := shipDemo(ctx, cloud, store, errs, log)
	if err != nil {
		return err
	}
	reader, err := local.OpenReader(ctx, local.Config{Path: store})
	if err != nil {
		return err
	}
	defer closing(log, "store", reader.Close)
	if err := errors.Join(shipped.print(out), shipped.tagged.print(out), printNewest(ctx, reader, out), printLogins(ctx, reader, out)); err != nil || shown == nil {
		return err
	}
	fmt.Fprintf(out, "\nThe events are on %s until Ctrl-C.\n", shown.address())
	return shown.serve(ctx, reader, "the demo's store", log)
}

// demoResult is what the demo's first table says.
type demoResult struct {
	messages, objects int
	counts            pipeline.Counts
	took              time.Duration
	tagged            *taggedUser
}

func (r demoResult) print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "messages\tobjects\trecords\tindexed\tseconds\trecords/s\t")
	fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%.2f\t%.0f\t\n", r.messages, r.objects, r.counts.Read, r.counts.Ended[pipeline.EndIndexed],
		r.took.Seconds(), float64(r.counts.Read)/r.took.Seconds())
	return t.Flush()
}

// printNewest prints the ten newest events as the console shows them.
func printNewest(ctx context.Context, reader *local.Reader, out io.Writer) error {
	fmt.Fprint(out, "\nThe ten newest events:\n\n")
	return printEvents(ctx, reader, history.Query{Limit: 10}, out)
}

// printLogins prints the console logins with how they ended.
func printLogins(ctx context.Context, reader *local.Reader, out io.Writer) error {
	fmt.Fprint(out, "\nConsole logins:\n\n")
	logins := history.Filter{Attribute: history.EventName, Values: []string{"ConsoleLogin"}}
	return printEvents(ctx, reader, history.Query{Filters: []history.Filter{logins}, Limit: 50}, out)
}

func printEvents(ctx context.Context, reader *local.Reader, q history.Query, out io.Writer) error {
	found, err := reader.Events(ctx, q)
	if err != nil {
		return err
	}
	table, err := newEventWriter(outputTable, out)
	if err != nil {
		return err
	}
	return errors.Join(table.Write(found.Events), table.End())
}
