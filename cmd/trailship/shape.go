package main

import (
	"context"
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/pipeline/filter"
	"github.com/trailship/trailship/pipeline/redact"
)

// shaper does to the records of normalize what the pipeline does to those of the daemon, as far as no AWS is needed.
type shaper struct {
	filter   *filter.Set
	redactor *redact.Redactor // nil: nothing is taken out
	enricher *enrich.Set
	explain  io.Writer // where it says what was left out; nil: nowhere

	redacted cloudtrail.Record
	text     []byte
}

// newShaper reads what the configuration's file says, "" for none: then user agents are taken apart and that is all.
func newShaper(file string, format *ecs.Config) (*shaper, error) {
	cfg := &config.Config{Enrich: enrich.Config{UserAgent: enrich.UserAgent{Enabled: true}}}
	if file != "" {
		var err error
		if cfg, err = config.Load(file); err != nil {
			return nil, err
		}
		cfg.Enrich.IAMTags.Enabled, cfg.Enrich.AccountNames.Enabled = false, false
		format.Labels, format.Tags = cfg.Output.Labels, cfg.Output.Tags
	}
	s := &shaper{redactor: redact.New(cfg.Output.Redact)}
	var err error
	if s.filter, err = filter.New(cfg.Filters); err != nil {
		return nil, value.Under("filters", err)
	}
	s.enricher, err = enrich.New(cfg.Enrich, enrich.Options{Metrics: prometheus.NewRegistry(), Log: zap.NewNop()})
	if err != nil {
		return nil, value.Under("enrich", err)
	}
	return s, nil
}

// shape returns the record whose document is to be written, nil when it is left out. name is that of the input.
func (s *shaper) shape(name string, r *cloudtrail.Record, f *ecs.Fragments) (*cloudtrail.Record, error) {
	if rule, drops := s.filter.Drops(r); drops {
		if s.explain != nil {
			fmt.Fprintf(s.explain, "%s: record %d (%s) is left out by filters.%s\n", name, r.Number, r.Field(cloudtrail.EventID).Bytes(), rule)
		}
		return nil, nil
	}
	s.enricher.Enrich(context.Background(), r, f) // nothing in it waits: AWS is not asked
	if s.redactor == nil {
		return r, nil
	}
	text, changed := s.redactor.Append(s.text[:0], r)
	if !changed {
		return r, nil
	}
	s.text = text
	if err := s.redacted.Parse(text); err != nil {
		return nil, fmt.Errorf("redacting record %d of %s: %w", r.Number, name, err)
	}
	s.redacted.Object, s.redacted.Number, s.redacted.Offset = r.Object, r.Number, r.Offset
	return &s.redacted, nil
}
