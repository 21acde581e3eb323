package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/cluster/lookup"
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
func (p *place) open(ctx context.Context, log *zap.Logger) (*opened, error) {
	if p.config == "" {
		return openStore(ctx, p.store)
	}
	cfg, err := config.Load(p.config)
	if err != nil {
		return nil, err
	}
	return openHistory(ctx, cfg, log)
}

// openHistory opens where the sink of a configuration writes.
func openHistory(ctx context.Context, cfg *config.Config, log *zap.Logger) (*opened, error) {
	switch {
	case cfg.Sinks.Local != nil:
		return openStore(ctx, cfg.Sinks.Local.Path)
	case cfg.Sinks.NDJSON != nil:
		return nil, errors.New("looking up events where the sink writes: that must be an event store or a cluster, sinks.local, sinks.elasticsearch or sinks.opensearch")
	case cfg.Output.Format == config.FormatRaw:
		return nil, errors.New("looking up events where the sink writes: documents of output.format raw cannot be looked up, those of ecs can; ship the files once more with a configuration of ecs, trailship backfill, or show them with trailship serve PATH")
	}
	return openCluster(ctx, cfg, log)
}

// searches is how many searches go to a cluster at once.
const searches = 8

func openCluster(ctx context.Context, cfg *config.Config, log *zap.Logger) (*opened, error) {
	index, err := pipeline.ParseIndexPattern(cfg.Output.Index)
	if err != nil {
		return nil, fmt.Errorf("output.index: %w", err)
	}
	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return nil, err
	}
	ask, err := sinks.Transport(cfg.Sinks, searches, func(region string) aws.Config { return account.Config(region, awsconfig.Role{}) })
	if err != nil {
		return nil, err
	}
	closeIt := func() error { return nil }
	if c, ok := ask.(io.Closer); ok {
		closeIt = c.Close
	}
	where := index.Wildcard()
	return &opened{Search: lookup.New(ask, where, cfg.Output.Retain), name: where, close: closeIt}, nil
}

func openStore(ctx context.Context, path string) (*opened, error) {
	store, err := local.OpenReader(ctx, local.Config{Path: path})
	if err != nil {
		return nil, worked(err)
	}
	return &opened{Search: store, name: path, close: store.Close}, nil
}
