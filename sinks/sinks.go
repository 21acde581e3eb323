// Package sinks opens the one sink that the configuration sets.
package sinks

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/cluster"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/elasticsearch"
	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/sinks/ndjson"
	"github.com/trailship/trailship/sinks/opensearch"
)

// Config is the section sinks: exactly one kind is set.
type Config struct {
	Elasticsearch *elasticsearch.Config `yaml:"elasticsearch"`
	OpenSearch    *opensearch.Config    `yaml:"opensearch"`
	Local         *local.Config         `yaml:"local"`
	NDJSON        *ndjson.Config        `yaml:"ndjson"`
}

// Validate returns every *value.Problem of the section, joined.
func (c Config) Validate() error {
	var errs []error
	set := 0
	if c.Elasticsearch != nil {
		set++
		errs = append(errs, value.Under("elasticsearch", c.Elasticsearch.Validate()))
	}
	if c.OpenSearch != nil {
		set++
		errs = append(errs, value.Under("opensearch", c.OpenSearch.Validate()))
	}
	if c.Local != nil {
		set++
		errs = append(errs, value.Under("local", c.Local.Validate()))
	}
	if c.NDJSON != nil {
		set++
		errs = append(errs, value.Under("ndjson", c.NDJSON.Validate()))
	}
	switch {
	case set == 0:
		errs = append(errs, value.Wrong("", "there is no sink: write one of elasticsearch, opensearch, local, ndjson"))
	case set > 1:
		errs = append(errs, value.Wrong("", "there are %d sinks: keep one. A second destination is a second queue (S3 to SNS to two queues) and a second daemon", set))
	}
	return errors.Join(errs...)
}

// Options are what a sink needs beside its section.
type Options struct {
	Index       pipeline.IndexPattern
	DataStream  bool // Index names a data stream
	Raw         bool // documents are records as CloudTrail wrote them
	DeadLetters deadletter.Config
	Limits      bulk.Limits
	AWS         func(region string) aws.Config // credentials for signed requests; "" is the account's own region
	Log         *zap.Logger
	Metrics     prometheus.Registerer
	Pulse       func(loop string) (tick, done func())
}

// Opened is the sink, and where records go that it will not take.
type Opened struct {
	Sink        pipeline.Sink
	DeadLetters pipeline.DeadLetters // nil: there is no place for them
	LeafLimit   int                  // of ecs.Config: how long a leaf of a free-form object may be; 0: no limit

	indices *cluster.Indices // nil: no cluster
	ask     cluster.Transport
	shelves []deadletter.Shelf
	closers []io.Closer // in the order of closing
}

// Cluster asks the sink's cluster, nil when the sink is none.
func (s *Opened) Cluster() cluster.Transport { return s.ask }

// Open opens the sink of c, which is valid. It asks a cluster nothing: one that is away at the start is waited for, and the
// sink says so when asked whether it is ready. Its errors are *value.Problem, with the whole key.
func Open(c Config, o Options) (*Opened, error) {
	if c.Local != nil {
		return openStore(*c.Local, o)
	}
	if c.NDJSON != nil {
		return openFile(*c.NDJSON, o)
	}
	opened := &Opened{}
	var err error
	if opened.ask, err = Transport(c, o.Limits.Requests, o.AWS); err != nil {
		return nil, err
	}
	if c.OpenSearch != nil {
		opened.LeafLimit = opensearch.LeafLimit
	}
	templates := []cluster.Template{cluster.Documents(o.Index)}
	switch {
	case o.DataStream:
		templates[0] = cluster.Stream(o.Index)
	case o.Raw:
		templates[0] = cluster.RawDocuments(o.Index)
	}
	if o.DeadLetters.Index != "" {
		templates = append(templates, cluster.DeadLetters(o.DeadLetters.Index))
	}
	opened.indices = cluster.NewIndices(opened.ask, o.Log, templates...)
	if err = opened.place(o, clusterOf{opened.ask, opened.indices}); err != nil {
		return nil, err
	}
	engine := bulk.New(bulk.Options{
		Transport: opened.ask, Creator: opened.indices, DataStream: o.DataStream, Limits: o.Limits, Log: o.Log, Metrics: o.Metrics, Pulse: o.Pulse,
	})
	opened.Sink = engine
	opened.closers = append(opened.closers, engine)
	if c, ok := opened.ask.(io.Closer); ok {
		opened.closers = append(opened.closers, c)
	}
	return opened, nil
}

// Transport is how the cluster of c is asked, by up to so many requests at once; nil when the sink is none. It asks nothing.
// account has the credentials for signed requests. Its errors are *value.Problem, with the whole key.
func Transport(c Config, requests int, account func(region string) aws.Config) (t cluster.Transport, err error) {
	switch {
	case c.Elasticsearch != nil:
		t, err = c.Elasticsearch.Transport(requests)
		err = value.Under("sinks.elasticsearch", err)
	case c.OpenSearch != nil:
		t, err = c.OpenSearch.Transport(requests, account)
		err = value.Under("sinks.opensearch", err)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func openStore(c local.Config, o Options) (*Opened, error) {
	opened := &Opened{}
	if err := opened.place(o, nil); err != nil {
		return nil, err
	}
	store, err := local.Open(context.Background(), c, o.Log)
	if err != nil {
		return nil, value.Wrong("sinks.local.path", "%v", err)
	}
	opened.Sink = store
	opened.closers = append(opened.closers, store)
	return opened, nil
}

func openFile(c ndjson.Config, o Options) (*Opened, error) {
	opened := &Opened{}
	if err := opened.place(o, nil); err != nil {
		return nil, err
	}
	sink, err := ndjson.Open(c)
	if err != nil {
		return nil, value.Wrong("sinks.ndjson.path", "%v", err)
	}
	opened.Sink = sink
	opened.closers = append(opened.closers, sink)
	return opened, nil
}

// letterPatience outlasts a node that starts again or a cluster that is busy, and is short beside the half day that a
// message may be held.
const letterPatience = 30 * time.Second

// place opens the places for dead letters.
func (s *Opened) place(o Options, in deadletter.Cluster) error {
	places, err := deadletter.New(o.DeadLetters, deadletter.Options{Cluster: in, AWS: o.AWS, Log: o.Log, Patience: letterPatience})
	if places != nil {
		s.DeadLetters, s.shelves = places, places.Shelves()
	}
	return value.Under("dead_letter", err)
}

// creator is the part of cluster.Indices that dead letters need.
type creator interface {
	CreateIndex(ctx context.Context, name string) error
}

// clusterOf is a cluster as dead letters need it.
type clusterOf struct {
	cluster.Transport
	creator
}

// Shelves are the places for dead letters as they can be read back, in the order of burying.
func (s *Opened) Shelves() []deadletter.Shelf { return s.shelves }

// Setup installs the index templates, with the rights of the set-up role. A sink that has none is no error.
func (s *Opened) Setup(ctx context.Context) error {
	if s.indices == nil {
		return nil
	}
	return s.indices.Setup(ctx)
}

// Greet asks the cluster who it is and logs it, so that a wrong address or password shows at once. Whatever is wrong is
// only logged: the sink tries on.
func (s *Opened) Greet(ctx context.Context, log *zap.Logger) {
	if s.ask == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := cluster.Ask(ctx, s.ask)
	if err != nil {
		log.Error("the cluster cannot be reached, trying on", zap.Error(err))
		return
	}
	log.Info("connected to the cluster", zap.String("distribution", info.Distribution), zap.String("version", info.Version))
	if (info.Distribution == "opensearch") != (s.LeafLimit > 0) && info.Distribution != "" {
		log.Error("the section of sinks is for the other kind of cluster: rename it, or long values may be refused", zap.String("distribution", info.Distribution))
	}
}

// Close ends the sink. No write may be under way.
func (s *Opened) Close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
