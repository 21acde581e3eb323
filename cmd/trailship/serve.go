package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/sinks/local"
	"github.com/trailship/trailship/web"
)

const serveHelp = `serve shows CloudTrail logs on the Event history page: those in files, folders and prefixes of buckets, whatever their
layout: gzip or not, {"Records": […]}, lists, or one record on each line. The page can be used while they are read. They are
kept in a store in a temporary folder, which is removed at the end; --store keeps it, and then what it has is not read twice.

Without paths it shows what is there: the store of --store, or the store or cluster that the sink of a configuration fills
(--config). In a cluster the sink's user needs the right to search, deploy's reader role.

Only this machine reaches the page, unless --listen says otherwise. Then it wants a token, in TRAILSHIP_WEB_TOKEN or a file,
and TLS; --insecure does without, where something in front of it has both. A configuration has all of it in its section web.

Buckets are read with the AWS credentials and the region of the environment, the profile, or the instance's role. Ctrl-C ends it.`

const serveExample = `  trailship serve ./logs
  trailship serve s3://my-trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/
  trailship serve logs/*.json.gz --store case-42.db
  trailship serve --store case-42.db
  trailship serve --config /etc/trailship/trailship.yaml`

func newServe(exit func(int)) *cobra.Command {
	s := serving{web: web.Config{Listen: "127.0.0.1:8080"}}
	cmd := &cobra.Command{
		Use:     "serve [PATH...]",
		Short:   "Show CloudTrail files or a store on the Event history page",
		Long:    serveHelp,
		Example: serveExample,
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := s.check(cmd, paths); err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context(), exit)
			defer stop()
			return s.run(ctx, paths, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.store, "store", "", "the store's file, to be kept")
	flags.StringVarP(&s.config, "config", "c", "", "a configuration, to show the store or cluster that its sink fills")
	flags.StringVar(&s.web.Listen, "listen", s.web.Listen, "where the page is served; port 0 takes any that is free")
	flags.StringVar(&s.tokenFile, "token-file", "", "a file with the token that the page asks for")
	flags.StringVar(&s.web.TLSCert, "tls-cert", "", "the page's certificate, a PEM file")
	flags.StringVar(&s.web.TLSKey, "tls-key", "", "its key")
	flags.BoolVar(&s.web.Insecure, "insecure", false, "listen beyond this machine without token or TLS")
	flags.StringArrayVar(&s.web.Hosts, "host", nil, "a name that the page is reached by")
	cmd.MarkFlagsMutuallyExclusive("store", "config")
	return cmd
}

// serving is one command line.
type serving struct {
	web       web.Config
	tokenFile string
	store     string
	config    string
	cfg       *config.Config
}

// check reads what the flags name and says what is wrong with them.
func (s *serving) check(cmd *cobra.Command, paths []string) (err error) {
	switch {
	case len(paths) == 0 && s.store == "" && s.config == "":
		return fmt.Errorf("say what to show: files, folders, s3://BUCKET/PREFIX, --store FILE or --config FILE\nsee: %s --help", cmd.CommandPath())
	case len(paths) > 0 && s.config != "":
		return errors.New("paths and --config exclude each other: trailship run ships files to a configured sink")
	}
	s.web.Token = value.Secret(os.Getenv("TRAILSHIP_WEB_TOKEN"))
	if s.tokenFile != "" {
		if s.web.Token, err = value.ReadSecret(s.tokenFile); err != nil {
			return fmt.Errorf("reading --token-file: %w", err)
		}
	}
	if s.config != "" {
		if s.cfg, err = config.Load(s.config); err != nil {
			return err
		}
		if s.cfg.Web.Listen != "" && !cmd.Flags().Changed("listen") {
			s.web = s.cfg.Web
		}
	}
	return s.web.Validate()
}

// run shows what is to be shown until ctx ends.
func (s *serving) run(ctx context.Context, paths []string, out, errs io.Writer) error {
	log, err := newLogger(config.Log{Level: "warn", Format: "console"}, zapcore.AddSync(errs))
	if err != nil {
		return err
	}
	p, err := listenForPage(ctx, s.web)
	if err != nil {
		return err
	}
	defer p.close()
	if len(paths) > 0 {
		return s.files(ctx, paths, p, places{out, errs, log})
	}
	found, err := (&place{store: s.store, config: s.config}).open(ctx, log)
	if err != nil {
		return err
	}
	defer closing(log, "store", found.close)
	fmt.Fprintf(out, "The events are on %s until Ctrl-C.\n", p.address())
	return worked(p.serve(ctx, found, found.name, log))
}

// places are where a command writes.
type places struct {
	out, errs io.Writer
	log       *zap.Logger
}

// files reads files into a store and shows them meanwhile.
func (s *serving) files(ctx context.Context, paths []string, p *page, to places) error {
	file, name := s.store, s.store
	if file == "" {
		dir, err := os.MkdirTemp("", "trailship-serve-")
		if err != nil {
			return worked(fmt.Errorf("making a folder for the store: %w", err))
		}
		defer os.RemoveAll(dir)
		file, name = filepath.Join(dir, "events.db"), paths[0]+" and so on"
		if len(paths) == 1 {
			name = paths[0]
		}
	}
	load, err := newLoad(ctx, paths, to.log)
	if err != nil {
		return err
	}
	store, err := local.Open(context.WithoutCancel(ctx), local.Config{Path: file}, to.log)
	if err != nil {
		return worked(err)
	}
	defer closing(to.log, "store", store.Close)
	fmt.Fprintf(to.out, "The events are on %s until Ctrl-C.\n", p.address())
	reading, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- load.run(reading, store, to.errs) }()
	err = p.serve(ctx, loading{store, load}, name, to.log)
	stop()
	return worked(errors.Join(err, <-done))
}
