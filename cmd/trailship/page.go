package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/web"
)

// page is the Event history page and where it listens.
type page struct {
	config   web.Config
	listener net.Listener
}

// listenForPage listens where the page is to be served, so that an address that is taken shows before anything is done.
func listenForPage(ctx context.Context, c web.Config) (*page, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listening for the page: %s is taken: end what listens there, or take any free port with port 0", c.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("listening for the page: %w", err)
	}
	return &page{c, l}, nil
}

func (p *page) close() { _ = p.listener.Close() }

// address is where the page is. With a token it is for the eyes of whoever started it.
func (p *page) address() string {
	scheme, token := "http", ""
	if p.config.TLSCert != "" {
		scheme = "https"
	}
	if p.config.Token != "" {
		token = "/?token=" + url.QueryEscape(p.config.Token.Reveal())
	}
	return scheme + "://" + p.listener.Addr().String() + token
}

// serve serves the page until ctx ends. name says what it shows.
func (p *page) serve(ctx context.Context, search history.Search, name string, log *zap.Logger) error {
	handler := web.Handler(search, web.Options{Hosts: p.config.Hosts, Token: p.config.Token.Reveal(), Store: name, Log: log})
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: zap.NewStdLog(log),
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	var err error
	if p.config.TLSCert != "" {
		err = server.ServeTLS(p.listener, p.config.TLSCert, p.config.TLSKey)
	} else {
		err = server.Serve(p.listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the page: %w", err)
	}
	return nil
}

// startPage serves the page of the daemon, where one is configured, until ctx ends or stop is called.
func startPage(ctx context.Context, cfg *config.Config, log *zap.Logger) (stop func(), err error) {
	if cfg.Web.Listen == "" {
		return func() {}, nil
	}
	found, err := openHistory(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	p, err := listenForPage(ctx, cfg.Web)
	if err != nil {
		return nil, errors.Join(err, found.close())
	}
	serving, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- p.serve(serving, found, found.name, log) }()
	log.Info("event history", zap.Stringer("listen", p.listener.Addr()))
	return func() {
		cancel()
		if err := errors.Join(<-done, found.close()); err != nil {
			log.Warn("event history ended badly", zap.Error(err))
		}
	}, nil
}
