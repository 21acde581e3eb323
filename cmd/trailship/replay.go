package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/deadletter/replay"
)

const replayHelp = `replay sends dead letters again, through the same pipeline to the same sink as the daemon, and removes those that went
through from the index, the bucket or the directory of dead_letter. A letter that is refused again stays. A letter of a whole
object, which was gone or damaged, makes it read the object again.

Look first: --dry-run prints what there is by reason and index, and changes nothing. Letters of the reason index_blocked are
documents of an index that took nothing, closed or read-only; replay them when it takes documents again.

It may be interrupted, killed and run again at any moment, beside daemons and other replays: a letter is removed after its
document is stored, and a document that is there already is not stored twice.

The sink's user needs the rights of the roles writer and replay in deploy, the AWS identity those of deploy/iam/policy.json
and, for letters in S3 and for --queue, of deploy/iam/replay-policy.json.

With --queue it moves the messages of an SQS dead-letter queue back to their own queue, --rate a second, for daemons to
receive. It asks SQS to do so, shows how far it is, and cancels it when it is interrupted.

It exits with 1 when letters stay, or something could not be done.`

const replayExample = `  trailship replay --config trailship.yaml --dry-run
  trailship replay --config trailship.yaml --reason index_blocked --since 36h
  trailship replay --config trailship.yaml --key 'my-trail/**/eu-west-1/2026/11/**' --until 2026-11-20T12:00:00Z
  trailship replay --queue https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail-dead --rate 100`

// replayFlags are the command line.
type replayFlags struct {
	file          string
	reasons, from []string
	since, until  string
	key           string
	dryRun        bool

	queue, to string
	rate      int
}

func newReplay(exit func(int)) *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:     "replay --config FILE | --queue URL",
		Short:   "Send dead letters again",
		Long:    replayHelp,
		Example: replayExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := untilSignal(cmd.Context(), exit)
			defer stop()
			if f.queue != "" {
				return redrive(ctx, f, cmd.ErrOrStderr())
			}
			return replayLetters(ctx, f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "config", "c", "", "the configuration's file")
	flags.StringSliceVar(&f.reasons, "reason", nil, "only letters of this reason, such as index_blocked; may be given again")
	flags.StringVar(&f.since, "since", "", "only letters that were buried since: a time such as 2026-11-20T12:00:00Z, a day, or for how long, such as 36h")
	flags.StringVar(&f.until, "until", "", "only letters that were buried before: the same")
	flags.StringVar(&f.key, "key", "", "only letters of objects whose bucket/key matches this path glob")
	flags.StringSliceVar(&f.from, "from", nil, "only letters in these places: index, s3, directory")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what there is by reason and index, and change nothing")
	flags.StringVar(&f.queue, "queue", "", "move the messages of this SQS dead-letter queue instead")
	flags.StringVar(&f.to, "to", "", "with --queue: the URL of the queue to move to; without it the one that the messages came from")
	flags.IntVar(&f.rate, "rate", 50, "with --queue: messages a second")
	cmd.MarkFlagsOneRequired("config", "queue")
	for _, name := range []string{"reason", "since", "until", "key", "from", "dry-run"} {
		cmd.MarkFlagsMutuallyExclusive("queue", name)
	}
	return cmd
}

// filter reads the flags that choose letters.
func (f replayFlags) filter(now time.Time) (deadletter.Filter, error) {
	since, err := parseMoment(f.since, now)
	if err != nil {
		return deadletter.Filter{}, fmt.Errorf("reading --since: %w", err)
	}
	until, err := parseMoment(f.until, now)
	if err != nil {
		return deadletter.Filter{}, fmt.Errorf("reading --until: %w", err)
	}
	filter := deadletter.Filter{Reasons: f.reasons, Since: since, Until: until, Key: f.key}
	if err := filter.Validate(); err != nil {
		return deadletter.Filter{}, fmt.Errorf("reading --key: %w", err)
	}
	return filter, nil
}

// parseMoment reads a time, a day, or for how long ago. "" is no time.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write one such as 2026-11-20T12:00:00Z, a day such as 2026-11-20, or for how long, such as 36h", text)
}

// choose returns the shelves that --from names.
func (f replayFlags) choose(all []deadletter.Shelf) ([]deadletter.Shelf, error) {
	for _, kind := range f.from {
		if !slices.Contains([]string{"index", "s3", "directory"}, kind) {
			return nil, fmt.Errorf("reading --from: %q is no place: write index, s3 or directory", kind)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the configuration's dead_letter names no place to read from")
	}
	if len(f.from) == 0 {
		return all, nil
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(s deadletter.Shelf) bool {
		return !slices.ContainsFunc(f.from, func(kind string) bool { return strings.HasPrefix(s.String(), kind) })
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("reading --from: the configuration's dead_letter has no %s", strings.Join(f.from, " and no "))
	}
	return chosen, nil
}

// replayLetters sends the letters that the flags choose, or shows them.
func replayLetters(ctx context.Context, f replayFlags, out, errs io.Writer) error {
	cfg, err := config.Load(f.file)
	if err != nil {
		return err
	}
	filter, err := f.filter(time.Now())
	if err != nil {
		return err
	}
	log, err := newLogger(cfg.Log, zapcore.AddSync(errs))
	if err != nil {
		return err
	}
	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry() // nobody asks for it
	sink, err := openSink(cfg, account, registry, log, nil)
	if err != nil {
		return err
	}
	defer closing(log, "sink", sink.Close)
	shelves, err := f.choose(sink.Shelves())
	if err != nil {
		return err
	}
	if f.dryRun {
		return showLetters(ctx, shelves, filter, out)
	}
	from := replay.New(replay.Options{
		Shelves: shelves, Filter: filter, Places: sink.DeadLetters, Log: log.Named("replay"),
		Objects: source.NewObjects(cfg.Sources, source.Options{AWS: account, Metrics: source.NewMetrics(registry), Log: log.Named("source")}),
	})
	p, err := newPipeline(cfg, from, sink, pipeline.NewMetrics(registry), log)
	if err != nil {
		return err
	}
	p.DeadLetters, p.InFlight = from, min(p.InFlight, replayStacks)
	quiet := showProgress(from, sink, errs)
	err = p.Run(ctx)
	from.Close()
	quiet()
	return replayed(err, from, out, log)
}

// replayStacks is how many files, objects and pages of letters are in hand at a time.
const replayStacks = 4

// progressEvery is how often a line says how far a replay is.
const progressEvery = 2 * time.Second

// showProgress prints lines until it is stopped.
func showProgress(from *replay.Source, sink *sinks.Opened, errs io.Writer) (stop func()) {
	ready := partOf("sink", sink.Sink).ready
	done, said := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(said)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			n := from.Progress()
			fmt.Fprintf(errs, "replay: %d letters, %d sent and removed, %d stay; %d of %d files, objects and pages done\n",
				n.Chosen, n.Removed, n.Stayed, n.Finished, n.Stacks)
			if err := ready(); err != nil {
				fmt.Fprintf(errs, "replay: waiting for the sink: %v\n", err)
			}
		}
	}()
	return func() {
		close(done)
		<-said
	}
}

// replayed prints how the replay ended.
func replayed(ran error, from *replay.Source, out io.Writer, log *zap.Logger) error {
	n := from.Progress()
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "letters\tremoved\tstay\tunknown\tleft out\t")
	fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t\n", n.Chosen, n.Removed, n.Stayed, n.Unknown, n.LeftOut)
	if err := t.Flush(); err != nil {
		return worked(err)
	}
	if err := from.Err(); err != nil {
		log.Error("some letters could not be replayed, run it again", zap.Error(err))
		return worked(errReported)
	}
	if ran != nil {
		return worked(fmt.Errorf("interrupted, run it again for the rest: %w", ran))
	}
	if n.Stayed+n.Damaged > 0 {
		return worked(fmt.Errorf("%d letters stay, the log says why, or --dry-run", n.Stayed+n.Damaged))
	}
	return nil
}

// showLetters prints the letters by reason and index.
func showLetters(ctx context.Context, shelves []deadletter.Shelf, filter deadletter.Filter, out io.Writer) error {
	groups, wrong := replay.Survey(ctx, shelves, filter)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LETTERS\tOBJECTS\tREASON\tINDEX\tOLDEST\tNEWEST\tPLACE\tEXAMPLE")
	for _, g := range groups {
		fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Letters, g.Objects, g.Reason, orDash(g.Index),
			g.Oldest.UTC().Format(time.RFC3339), g.Newest.UTC().Format(time.RFC3339), g.Place, short(g.Example))
	}
	return worked(errors.Join(t.Flush(), wrong))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// short is the beginning of a reason on one line. Reasons may quote anything.
func short(s string) string {
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(line); len(runes) > 80 {
		return string(runes[:79]) + "…"
	}
	return line
}
