package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/sinks/local"
)

// place says where events are looked up.
type place struct{ store, config string }

func (p *place) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.store, "store", "trailship.db", "the store's file")
	cmd.Flags().StringVarP(&p.config, "config", "c", "", "a configuration, to look where its sink writes")
	cmd.MarkFlagsMutuallyExclusive("store", "config")
}

// opened is a place that is open.
type opened struct {
	history.Search
	name  string // for people
	close func() error
}

// open opens the place. Its errors are marked as the work's where they are no mistake of the command line.
func (p *place) open(ctx context.Context, _ *zap.Logger) (*opened, error) {
	if p.config == "" {
		return openStore(ctx, p.store)
	}
	cfg, err := config.Load(p.config)
	if err != nil {
		return nil, err
	}
	return openHistory(ctx, cfg)
}

// openHistory opens where the sink of a configuration writes.
func openHistory(ctx context.Context, cfg *config.Config) (*opened, error) {
	if cfg.Sinks.Local == nil {
		return nil, errors.New("looking up events where the sink writes: that must be an event store, sinks.local")
	}
	return openStore(ctx, cfg.Sinks.Local.Path)
}

func openStore(ctx context.Context, path string) (*opened, error) {
	store, err := local.OpenReader(ctx, local.Config{Path: path})
	if err != nil {
		return nil, worked(err)
	}
	return &opened{Search: store, name: path, close: store.Close}, nil
}
