package enrich

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	saveEvery = time.Minute // how often the cache file follows
	tickEvery = time.Second
)

// run answers questions until ctx ends, begins with the list of our own account, and keeps the cache file.
func (t *tagger) run(ctx context.Context) {
	listed, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t.warm(ctx)
		close(listed)
		t.saveOften(ctx)
	}()
	go t.tick(ctx)
	t.desk.work(ctx, listed)
	<-done
	if err := t.save(); err != nil {
		t.log.Warn("iam tags are not kept for the next start", zap.Error(err))
	}
}

// tick keeps the time, which is cheaper than asking for it with each record.
func (t *tagger) tick(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			t.now.Store(now.UnixNano())
		case <-ctx.Done():
			return
		}
	}
}

// warm lists the users and roles of our own account. Without the right to, each is asked for when it is first seen.
func (t *tagger) warm(ctx context.Context) {
	if cloud, ok := t.directory.(interface{ identify(context.Context) error }); ok {
		if err := cloud.identify(ctx); err != nil {
			if ctx.Err() == nil {
				t.failed(principal{}, err)
			}
			return
		}
	}
	turn := func(ctx context.Context) error {
		t.metrics.calls.WithLabelValues("list").Inc()
		return t.desk.limiter.Wait(ctx)
	}
	start := time.Now()
	switch err := t.directory.all(ctx, t.directory.own(), "", turn, t.keepOne); {
	case ctx.Err() != nil:
	case err != nil && denied(err):
		t.log.Info("users and roles are asked for one by one; iam:GetAccountAuthorizationDetails would list them at once")
	case err != nil:
		t.log.Info("users and roles are asked for one by one, listing them did not work", zap.Error(err))
	default:
		t.log.Info("users and roles are known", zap.Int("principals", t.cache.EstimatedSize()), zap.Duration("took", time.Since(start)))
	}
}

func (t *tagger) saveOften(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := t.save(); err != nil && t.said.first(place{}, "cache_file") {
				t.log.Warn("iam tags are not kept for the next start", zap.Error(err))
			}
		case <-ctx.Done():
			return
		}
	}
}
