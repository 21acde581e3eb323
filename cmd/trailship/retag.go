package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/sinks/cluster"
)

const retagHelp = `retag fills in the IAM tags of documents that were written while IAM did not answer: those with the tag _iam_unavailable.
It asks IAM as the daemon does and changes the documents in the cluster, which takes the rights to read and to update them,
that the daemon itself does not need: give it a configuration with a user of its own (deploy/elasticsearch/retag-role.json,
deploy/opensearch/retag-role.json). The tags are those of now, not of then.

It may be stopped at any time and run again: a document that is done has the tag no longer. Exit code 1 says that some documents
are still without tags.`

func newRetag(exit func(int)) *cobra.Command {
	var file string
	var since time.Duration
	var dry bool
	cmd := &cobra.Command{
		Use:   "retag --config FILE [--since DURATION] [--dry-run]",
		Short: "Fill in the IAM tags of documents that were written without",
		Long:  retagHelp,
		Example: "  trailship retag --config trailship-admin.yaml --since 48h --dry-run\n" +
			"  trailship retag --config trailship-admin.yaml --since 48h",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			if since <= 0 {
				return fmt.Errorf("reading --since: %s is no time ago: write one such as 24h", since)
			}
			log, err := newLogger(cfg.Log, zapcore.AddSync(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context(), exit)
			defer stop()
			job := retagJob{since: time.Now().Add(-since), dry: dry}
			return job.run(ctx, cfg, cmd.OutOrStdout(), log)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().DurationVar(&since, "since", 24*time.Hour, "how long ago the oldest event may have happened")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "ask cluster and IAM, and say what would be changed")
	return cmd
}

// There is no hurry: IAM gets time to answer, and further tries when it does not.
const (
	retagWait  = 15 * time.Second
	retagPause = 3 * time.Second // longer than enrich rests after a first error
	retagTries = 4
)

// retagJob is one run: of events since a time.
type retagJob struct {
	since time.Time
	dry   bool // nothing is changed
}

func (j retagJob) run(ctx context.Context, cfg *config.Config, out io.Writer, log *zap.Logger) error {
	index, err := pipeline.ParseIndexPattern(cfg.Output.Index)
	if err != nil {
		return fmt.Errorf("output.index: %w", err)
	}
	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return err
	}
	sink, err := openSink(cfg, account, prometheus.NewRegistry(), log, nil)
	if err != nil {
		return err
	}
	defer closing(log, "sink", sink.Close)
	ask := sink.Cluster()
	if ask == nil {
		return errors.New("retag changes documents of a cluster: the sink is none")
	}
	set, err := tagsAlone(cfg.Enrich, account, log)
	if err != nil {
		return err
	}
	defer runBeside(ctx, set.Run)()
	r := &retagger{
		enricher: set, log: log, told: time.Now(), pause: retagPause, hopeless: map[string]bool{},
		apply: func(ctx context.Context, changes []cluster.Change) (int, string, error) {
			return cluster.Apply(ctx, ask, changes)
		},
	}
	if j.dry {
		r.apply = func(context.Context, []cluster.Change) (int, string, error) { return 0, "", nil }
	}
	which := cluster.Selection{Index: index.Wildcard(), Query: untagged(j.since), Fields: retagFields()}
	err = cluster.Each(ctx, ask, which, func(hits []cluster.Hit) error { return r.page(ctx, hits) })
	done := "tagged"
	if j.dry {
		done = "would be tagged"
	}
	fmt.Fprintf(out, "%d documents found, %d %s, %d still without, %d refused\n", r.found, r.tagged, done, r.without, r.refused)
	return r.outcome(err)
}

// tagsAlone makes the enricher of IAM tags and no other. It leaves the daemon's cache file alone.
func tagsAlone(c enrich.Config, account *awsconfig.Loader, log *zap.Logger) (*enrich.Set, error) {
	c.Wait, c.IAMTags.Enabled, c.AccountNames.Enabled, c.UserAgent.Enabled = retagWait, true, false, false
	c.IAMTags.CacheFile, c.GeoIP = "", enrich.GeoIPConfig{}
	set, err := enrich.New(c, enrich.Options{AWS: account, Metrics: prometheus.NewRegistry(), Log: log})
	if err != nil {
		return nil, value.Under("enrich", err)
	}
	return set, nil
}

// runBeside runs f until stop, which waits for its end.
func runBeside(ctx context.Context, f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// untagged finds documents by their tag.
func untagged(since time.Time) any {
	return map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"term": map[string]any{"tags": enrich.Unavailable}},
		map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": since.UTC().Format(time.RFC3339)}}},
	}}}
}

// retagger changes pages of documents.
type retagger struct {
	enricher pipeline.Enricher
	apply    func(context.Context, []cluster.Change) (refused int, reason string, err error)
	log      *zap.Logger
	pause    time.Duration // before IAM is asked once more

	found, tagged, without, refused int
	reason                          string          // of the first refusal
	told                            time.Time       // when progress was logged last
	hopeless                        map[string]bool // whose IAM did not answer in several tries, until it does
}

// retagTold is how often its progress is logged.
const retagTold = 10 * time.Second

func (r *retagger) page(ctx context.Context, hits []cluster.Hit) error {
	var changes []cluster.Change
	for _, hit := range hits {
		r.found++
		doc, err := r.change(ctx, hit)
		if err != nil {
			return fmt.Errorf("reading document %s of %s: %w", hit.ID, hit.Index, err)
		}
		if doc == nil {
			r.without++
			continue
		}
		changes = append(changes, cluster.Change{Hit: hit, Doc: doc})
		r.tell()
	}
	if len(changes) == 0 {
		return ctx.Err()
	}
	refused, reason, err := r.apply(ctx, changes)
	if err != nil {
		return err
	}
	r.refused, r.tagged = r.refused+refused, r.tagged+len(changes)-refused
	if r.reason == "" {
		r.reason = reason
	}
	return ctx.Err()
}

// tell logs how far it is, now and then.
func (r *retagger) tell() {
	if time.Since(r.told) < retagTold {
		return
	}
	r.told = time.Now()
	r.log.Info("retagging", zap.Int("documents", r.found), zap.Int("tagged", r.tagged), zap.Int("without", r.without))
}

// outcome is the error of the whole run.
func (r *retagger) outcome(err error) error {
	switch {
	case err != nil:
		return worked(err)
	case r.refused > 0:
		return worked(fmt.Errorf("the cluster refuses changes: %s", r.reason))
	case r.without > 0:
		return worked(errors.New("IAM did not answer for all: the log says why; run retag again then"))
	}
	return nil
}
