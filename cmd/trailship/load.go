package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/paths"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/sinks/local"
)

// load reads files into a store.
type load struct {
	source  *paths.Source
	metrics *pipeline.Metrics
	log     *zap.Logger

	mu   sync.Mutex
	over bool
}

// newLoad makes a load of paths. Its errors are mistakes of the command line.
func newLoad(ctx context.Context, names []string, log *zap.Logger) (*load, error) {
	account, err := awsconfig.Load(ctx, awsconfig.Config{}, log)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	objects := source.NewObjects(source.Config{}, source.Options{AWS: account, Metrics: source.NewMetrics(registry), Log: log})
	client := func(region string) *s3.Client { return awsconfig.S3(account.Config(region, awsconfig.Role{})) }
	from, err := paths.New(names, objects, paths.NewBuckets(client, account.Region()), log)
	if err != nil {
		return nil, fmt.Errorf("reading the paths: %w", err)
	}
	return &load{source: from, metrics: pipeline.NewMetrics(registry), log: log}, nil
}

// run reads all files and says how far it is. It returns when they are read, or ctx ends.
func (l *load) run(ctx context.Context, store *local.Store, errs io.Writer) error {
	index, err := pipeline.ParseIndexPattern("local")
	if err != nil {
		return err
	}
	p := &pipeline.Pipeline{
		Source: l.source, Sink: store, DeadLetters: lost{l.log}, Format: func() pipeline.Format { return noDocuments{} },
		Index: index, Memory: 64 << 20, InFlight: 64, Log: zap.NewNop(), Metrics: l.metrics,
	}
	start := time.Now()
	listed := l.source.Start(ctx)
	defer listed()
	showing, shown := context.WithCancel(ctx)
	var bar sync.WaitGroup
	bar.Go(func() { l.show(showing, errs) })
	err = p.Run(ctx)
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	shown()
	bar.Wait()
	if ctx.Err() != nil { // whoever ended it does not wait for the rest
		return nil
	}
	counts := l.metrics.Counts()
	fmt.Fprintf(errs, "read %d events of %d files in %.1f s; %d were there already, %d could not be read\n", counts.Read,
		l.source.Progress().Files, time.Since(start).Seconds(), counts.Ended[pipeline.EndDuplicate], counts.Ended[pipeline.EndDeadLetter])
	if err != nil {
		fmt.Fprintln(errs, err)
	}
	return err
}

// progress is nil when nothing is being read any more.
func (l *load) progress() *history.Loading {
	l.mu.Lock()
	over := l.over
	l.mu.Unlock()
	if over {
		return nil
	}
	at, counts := l.source.Progress(), l.metrics.Counts()
	x := &history.Loading{
		FilesDone: at.Done, Events: counts.Ended[pipeline.EndIndexed] + counts.Ended[pipeline.EndDuplicate],
		Refused: counts.Ended[pipeline.EndDeadLetter],
	}
	if at.Listed {
		x.Files = at.Files
	}
	return x
}

// How often progress is shown: on a terminal, in one line, and elsewhere.
const (
	progressOnTerminal = 200 * time.Millisecond
	progressInLog      = 10 * time.Second
)

// show shows progress until ctx ends.
func (l *load) show(ctx context.Context, to io.Writer) {
	every, before, after := progressInLog, "", "\n"
	if isTerminal(to) {
		every, before, after = progressOnTerminal, "\r", "\x1b[K"
		defer fmt.Fprint(to, "\r\x1b[K")
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		at := l.progress()
		if at == nil {
			return
		}
		fmt.Fprint(to, before, progressText(at), after)
	}
}

// progressText is one line: a bar once it is known how many files there are.
func progressText(at *history.Loading) string {
	const width = 30
	if at.Files == 0 {
		return fmt.Sprintf("listing files … %d read, %d events", at.FilesDone, at.Events)
	}
	bar := make([]byte, width)
	for i := range bar {
		bar[i] = '.'
		if int64(i)*at.Files < at.FilesDone*width {
			bar[i] = '#'
		}
	}
	return fmt.Sprintf("[%s] %d of %d files, %d events", bar, at.FilesDone, at.Files, at.Events)
}

// isTerminal reports whether somebody looks at what is written.
func isTerminal(to io.Writer) bool {
	file, ok := to.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// loading is a store that is being filled.
type loading struct {
	*local.Store
	load *load
}

// Extent implements history.Search.
func (s loading) Extent(ctx context.Context) (history.Extent, error) {
	at := s.load.progress() // first, so that an extent without it is that of everything
	x, err := s.Store.Extent(ctx)
	x.Loading = at
	return x, err
}

// noDocuments is a pipeline.Format for a sink that keeps records.
type noDocuments struct{}

func (noDocuments) Append(dst []byte, _ *cloudtrail.Record) []byte { return dst }

func (noDocuments) AppendDegraded(dst []byte, _ *cloudtrail.Record, _ string) []byte { return dst }

func (noDocuments) Stamp([]byte, time.Time) {}

// lost says what could not be read, and keeps nothing: the files are still there.
type lost struct{ log *zap.Logger }

func (d lost) Bury(_ context.Context, letters []pipeline.Letter) error {
	for i := range letters {
		x := &letters[i]
		d.log.Warn("left out what cannot be read", zap.String("bucket", x.Origin.Bucket), zap.String("file", x.Origin.Key),
			zap.Int("record", x.Number), zap.String("reason", x.Type), zap.String("why", x.Reason))
	}
	return nil
}
