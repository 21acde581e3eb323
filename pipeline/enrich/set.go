package enrich

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// Options are what a Set works with.
type Options struct {
	AWS     *awsconfig.Loader // for IAM, STS and Organizations
	Metrics prometheus.Registerer
	Log     *zap.Logger
}

// A Set is every enricher that the configuration turns on, as one. It may be used concurrently.
type Set struct {
	tags   *tagger // each is nil when it is off; an interface between would cost an allocation a record
	names  *accounts
	places *locator
	agents *agentParser
	runs   []func(context.Context)
}

var _ pipeline.Enricher = (*Set)(nil)

// New makes a Set and reads what it needs of the disk: MMDB files, and the cache of IAM tags. It asks no network. Its
// errors are *value.Problem.
func New(c Config, o Options) (*Set, error) {
	s := &Set{}
	limiter := newLimiter()
	aws := newCloud(o.AWS, limiter, c.IAMTags.AssumeRoleName)
	if c.IAMTags.Enabled {
		t := newTagger(c, aws, limiter, newMetrics(o.Metrics), o.Log)
		if err := t.load(); err != nil {
			o.Log.Warn("iam tags of the last run are not of use", zap.Error(err))
		}
		s.tags, s.runs = t, append(s.runs, t.run)
	}
	if c.AccountNames.Enabled {
		a := newAccounts(c, aws, o.Log)
		if err := a.load(); err != nil {
			o.Log.Warn("account names of the last run are not of use", zap.Error(err))
		}
		s.names, s.runs = a, append(s.runs, a.run)
	}
	l, err := newLocator(c.GeoIP, o.Log)
	if err != nil {
		return nil, value.Under("geoip", err)
	}
	if c.GeoIP != (GeoIPConfig{}) {
		s.places, s.runs = l, append(s.runs, l.run)
	}
	if c.UserAgent.Enabled {
		if s.agents, err = newAgentParser(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Enrich implements pipeline.Enricher.
func (s *Set) Enrich(ctx context.Context, r *cloudtrail.Record, f *ecs.Fragments) {
	if s.tags != nil || s.names != nil {
		var who identity
		who.read(r.Field(cloudtrail.UserIdentity))
		if s.tags != nil {
			s.tags.enrich(ctx, r, &who, f)
		}
		if s.names != nil {
			s.names.enrich(ctx, r, &who, f)
		}
	}
	if s.places != nil {
		s.places.enrich(r, f)
	}
	if s.agents != nil {
		s.agents.enrich(r, f)
	}
}

// Run asks what is to be asked until ctx ends; without it cold lookups get no answer. It keeps the caches' file and
// returns when that is written.
func (s *Set) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, run := range s.runs {
		all.Go(func() { run(ctx) })
	}
	all.Wait()
}
