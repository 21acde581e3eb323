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
	parts []pipeline.Enricher
	runs  []func(context.Context)
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
		s.add(t, t.run)
	}
	if c.AccountNames.Enabled {
		a := newAccounts(c, aws, o.Log)
		if err := a.load(); err != nil {
			o.Log.Warn("account names of the last run are not of use", zap.Error(err))
		}
		s.add(a, a.run)
	}
	l, err := newLocator(c.GeoIP, o.Log)
	if err != nil {
		return nil, value.Under("geoip", err)
	}
	if c.GeoIP != (GeoIPConfig{}) {
		s.add(l, l.run)
	}
	if c.UserAgent.Enabled {
		p, err := newAgentParser()
		if err != nil {
			return nil, err
		}
		s.add(p, nil)
	}
	return s, nil
}

func (s *Set) add(part pipeline.Enricher, run func(context.Context)) {
	s.parts = append(s.parts, part)
	if run != nil {
		s.runs = append(s.runs, run)
	}
}

// Enrich implements pipeline.Enricher.
func (s *Set) Enrich(ctx context.Context, r *cloudtrail.Record, f *ecs.Fragments) {
	for _, part := range s.parts {
		part.Enrich(ctx, r, f)
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
