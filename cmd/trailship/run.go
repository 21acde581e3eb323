package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/pipeline/filter"
	"github.com/trailship/trailship/pipeline/redact"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/sinks"
)

const runHelp = `run is the daemon: it receives notices from the queues, reads the log files that they name, writes one document for each
record to the sink, and deletes a notice when all of its records are stored.

It refuses to start only when the command line or the configuration is wrong, with exit code 2. Whatever is away or broken
otherwise is waited for; the log, /readyz and trailship health --ready say what to do.

SIGTERM and SIGINT stop receiving, let what is in hand finish for shutdown.timeout and hand the rest back to the queue. A
second one ends the process at once; what was in hand is delivered again, and meets its own documents. Under systemd it
tells when it is ready and feeds the unit's watchdog for as long as its loops tick.`

const runExample = `  trailship run --config /etc/trailship/trailship.yaml
  trailship run --config trailship.yaml --print-config`

func newRun(exit func(int)) *cobra.Command {
	var file string
	var show bool
	cmd := &cobra.Command{
		Use:     "run --config FILE",
		Short:   "Ship records from the queues to the sink until told to stop",
		Long:    runHelp,
		Example: runExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			if show {
				return worked(cfg.Print(cmd.OutOrStdout()))
			}
			log, err := newLogger(cfg.Log, zapcore.AddSync(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context(), exit)
			defer stop()
			return run(ctx, cfg, log)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&show, "print-config", false, "print the configuration in force, secrets hidden, and exit")
	return cmd
}

// configFlag adds the flag that names the configuration's file.
func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "", "the configuration's file")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic(err) // the flag was made one line above
	}
}

// How long a loop may go without a tick before the daemon counts as standing still, well over what each promises.
const (
	sourceSilence = 5 * time.Minute // promised: two minutes
	sinkSilence   = 2 * time.Minute // promised: ten seconds
)

// run carries records from the queues to the sink until ctx ends, then drains. Errors that come before anything starts are
// mistakes of the configuration; they are not marked as the work's.
//
//	queues ──▶ source.SQS ──delivery──▶ pipeline.Pipeline ──batch──▶ sink ──▶ cluster or file
//	  ▲            │  ▲                  │       │  ▲                 │
//	  └──delete────┘  └──────settle──────┘       │  └──────fates──────┘
//	                                             └──letters──▶ dead letters
//
//	admin server: /metrics ◀── registry · /healthz ◀── pulses ──▶ watchdog · /readyz, /status ◀── source, sink
func run(ctx context.Context, cfg *config.Config, log *zap.Logger) error {
	registry := newRegistry()
	pulses := &pipeline.Pulses{}
	metrics := pipeline.NewMetrics(registry)

	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return err
	}
	sink, err := openSink(cfg, account, registry, log, watch(pulses, sinkSilence))
	if err != nil {
		return err
	}
	defer closing(log, "sink", sink.Close)
	from, err := openSource(cfg.Sources, source.Options{
		AWS: account, Metrics: source.NewMetrics(registry), Log: log.Named("source"), Watch: watch(pulses, sourceSilence),
		InFlight: cfg.Limits.InFlight,
	})
	if err != nil {
		return value.Under("sources", err)
	}
	p, err := newPipeline(cfg, from, sink, metrics, log)
	if err != nil {
		return err
	}
	enricher, err := enrich.New(cfg.Enrich, enrich.Options{AWS: account, Metrics: registry, Log: log.Named("enrich")})
	if err != nil {
		return value.Under("enrich", err)
	}
	p.Enrichers = []pipeline.Enricher{enricher}
	stopAdmin, err := startAdmin(ctx, cfg, &admin{
		started: time.Now(), alive: pulses.Check, metrics: registry, counts: metrics.Counts, pprof: cfg.Server.Pprof,
		memory: int64(cfg.Limits.Memory), held: metrics.Held,
		parts: []part{partOf("source", from.Source), partOf("sink", sink.Sink), partOf("dead_letters", sink.DeadLetters)}, buckets: from.sick,
	}, log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	stopPage, err := startPage(ctx, cfg, log.Named("page"))
	if err != nil {
		return err
	}
	defer stopPage()

	greet(cfg, log)
	defer besides(ctx, sink, enricher, pulses, log)()

	from.start(ctx)
	notify(daemon.SdNotifyReady, log)
	err = p.Run(ctx)
	closing(log, "source", func() error {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return from.close(ending)
	})
	return ended(ctx, err, metrics.Counts(), log)
}

// greet sets the collector's limit and says what was started.
func greet(cfg *config.Config, log *zap.Logger) {
	limit, err := limitMemory(cfg.Limits.Memory)
	if err != nil {
		log.Warn("the collector goes by its own limit", zap.Error(err))
	}
	log.Info("started", zap.Stringer("version", readVersion()), zap.Stringer("memory_limit", limit), zap.String("listen", cfg.Server.Listen))
}

// origin is a source with a beginning and an end of its own.
type origin struct {
	pipeline.Source
	start func(ctx context.Context)
	close func(ctx context.Context) error
	sick  func() []source.SickBucket
}

// openSource opens the source that is set. Its errors are *value.Problem.
func openSource(c source.Config, o source.Options) (origin, error) {
	if c.Directory != nil {
		return origin{
			Source: source.NewDirectory(*c.Directory, o.Log),
			start:  func(context.Context) {},
			close:  func(context.Context) error { return nil },
			sick:   func() []source.SickBucket { return nil },
		}, nil
	}
	queues, err := source.New(c, o)
	if err != nil {
		return origin{}, err
	}
	return origin{Source: queues, start: queues.Start, close: queues.Close, sick: queues.SickBuckets}, nil
}

// closeTimeout is how long the last deletes may take once every delivery is settled.
const closeTimeout = 5 * time.Second

// ended says how the pipeline ended: by a signal, or at the end of a folder, is as it should be.
func ended(ctx context.Context, err error, counts pipeline.Counts, log *zap.Logger) error {
	if ctx.Err() == nil && err != nil {
		return worked(err)
	}
	fields := []zap.Field{zap.Int64("read", counts.Read)}
	for end, n := range counts.Ended {
		fields = append(fields, zap.Int64(pipeline.Terminal(end).String(), n))
	}
	log.Info("ended", fields...)
	return nil
}

// newRegistry is where every component's metrics go, with those of the Go runtime and of the process.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	)
	return registry
}

// watch registers loops that stand still after the silence.
func watch(pulses *pipeline.Pulses, silence time.Duration) func(loop string) (tick, done func()) {
	return func(loop string) (tick, done func()) { return pulses.Loop(loop, silence) }
}

// newPipeline connects source and sink.
func newPipeline(cfg *config.Config, from pipeline.Source, to *sinks.Opened, metrics *pipeline.Metrics, log *zap.Logger) (*pipeline.Pipeline, error) {
	index, err := pipeline.ParseIndexPattern(cfg.Output.Index)
	if err != nil {
		return nil, fmt.Errorf("output.index: %w", err)
	}
	filters, err := filter.New(cfg.Filters)
	if err != nil {
		return nil, value.Under("filters", err)
	}
	format := ecs.Config{
		Retain: cfg.Output.Retain, KeepOriginal: cfg.Output.KeepOriginal, Namespace: cfg.Output.Namespace, LeafLimit: to.LeafLimit,
		Labels: cfg.Output.Labels, Tags: cfg.Output.Tags,
	}
	p := &pipeline.Pipeline{
		Source:      from,
		Sink:        to.Sink,
		DeadLetters: to.DeadLetters,
		Filter:      filters,
		Format:      newFormat(cfg.Output.Format, format),
		Index:       index,
		Memory:      int64(cfg.Limits.Memory),
		InFlight:    cfg.Limits.InFlight,
		Drain:       cfg.Shutdown.Timeout,
		Log:         log.Named("pipeline"),
		Metrics:     metrics,
	}
	if r := redact.New(cfg.Output.Redact); r != nil {
		p.Redactor = r
	}
	return p, nil
}

// newFormat makes what writes documents.
func newFormat(name string, cfg ecs.Config) func() pipeline.Format {
	if name == config.FormatRaw {
		return func() pipeline.Format { return ecs.NewRaw(cfg) }
	}
	return func() pipeline.Format { return ecs.NewEncoder(cfg) }
}

// startAdmin starts the admin server, if the configuration wants one.
func startAdmin(ctx context.Context, cfg *config.Config, a *admin, log *zap.Logger) (stop func(), err error) {
	if cfg.Server.Listen == "" {
		return func() {}, nil
	}
	l, err := listen(ctx, cfg.Server.Listen)
	if err != nil {
		return nil, err
	}
	return a.serve(l, log), nil
}

// besides runs what goes on beside the pipeline: the sink's greeting, the enrichers' lookups, the watchdog, and the word to
// systemd that the daemon stops. wait ends it.
func besides(ctx context.Context, sink *sinks.Opened, enricher *enrich.Set, pulses *pipeline.Pulses, log *zap.Logger) (wait func()) {
	// The watchdog is fed during the drain too.
	draining, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { feedWatchdog(draining, pulses.Check, log) })
	all.Go(func() { enricher.Run(draining) }) // events of the drain are still tagged
	all.Go(func() { sink.Greet(ctx, log.Named("sink")) })
	said := make(chan struct{})
	quiet := context.AfterFunc(ctx, func() {
		defer close(said)
		log.Info("stopping, a second signal ends at once")
		notify(daemon.SdNotifyStopping, log)
	})
	return func() {
		if !quiet() {
			<-said
		}
		cancel()
		all.Wait()
	}
}

// closing closes a component at the end, when all there is to do about an error is to say it.
func closing(log *zap.Logger, name string, closeIt func() error) {
	if err := closeIt(); err != nil {
		log.Warn("closing did not go well", zap.String("component", name), zap.Error(err))
	}
}
