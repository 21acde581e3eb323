package pipeline

import (
	"context"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// enrich asks every enricher about the record whose document comes next.
func (b *Batch) enrich(ctx context.Context, r *cloudtrail.Record) {
	if len(b.enrichers) == 0 {
		return
	}
	format, ok := b.format.(Enrichable)
	if !ok {
		return
	}
	f := format.Fragments()
	for _, e := range b.enrichers {
		e.Enrich(ctx, r, f)
	}
}

// expired is a context in which an enricher waits for nothing: it says what it knows at once.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
