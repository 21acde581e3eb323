package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"go.uber.org/zap"
)

// Indices makes the indices that documents go to, each below a template of ours. It is safe for concurrent use.
type Indices struct {
	caller
	templates []Template
	log       *zap.Logger

	mu    sync.Mutex
	ready map[string]bool // by template name: seen in the cluster, or installed
}

// NewIndices returns Indices for these templates. It asks the cluster nothing.
func NewIndices(t Transport, log *zap.Logger, templates ...Template) *Indices {
	return &Indices{caller: caller{t}, templates: templates, log: log, ready: map[string]bool{}}
}

// Setup installs every template that is missing or older than ours, and brings the mapping of indices that exist up to
// date. It is what trailship setup does, with the set-up role. A newer template is left as it is.
func (x *Indices) Setup(ctx context.Context) error {
	for _, t := range x.templates {
		version, err := x.installed(ctx, t)
		if err != nil {
			return err
		}
		if version >= Version {
			x.log.Info("index template is up to date", zap.String("template", t.Name), zap.Int("version", version))
			continue
		}
		known, err := x.install(ctx, t)
		if err != nil {
			return err
		}
		x.log.Info("index template installed", zap.String("template", t.Name), zap.String("pattern", t.Pattern), zap.Int("version", Version))
		if err := x.upgradeLive(ctx, t, known); err != nil {
			return err
		}
	}
	return nil
}

// CreateIndex makes an index, or a data stream where its template says so, and before it the template that it needs. One
// that is there already is fine, under an alias too. The error says what to do.
func (x *Indices) CreateIndex(ctx context.Context, name string) error {
	blind, err := x.ensure(ctx)
	if err != nil {
		return err
	}
	if err := x.create(ctx, name, blind); err != nil && !exists(err) && !(blocked(err) && x.there(ctx, name)) {
		return fmt.Errorf("creating index %s: %w", name, err)
	}
	x.log.Info("index is there", zap.String("index", name))
	return nil
}

// create makes an index. blind says that the templates could not be seen: then the index gets their mapping by itself.
func (x *Indices) create(ctx context.Context, name string, blind bool) error {
	t, ours := x.templateOf(name)
	if ours && t.stream {
		return x.call(ctx, http.MethodPut, "/_data_stream/"+url.PathEscape(name), nil, nil)
	}
	if !blind || !ours {
		return x.call(ctx, http.MethodPut, "/"+url.PathEscape(name), nil, nil)
	}
	known := types{}
	for {
		body := object{"settings": t.settings, "mappings": t.mappings(known)}
		err := x.call(ctx, http.MethodPut, "/"+url.PathEscape(name), body, nil)
		if err == nil || !known.refused(err) {
			return err
		}
	}
}

// exists reports whether an index could not be made because there is one of that name, or an alias.
func exists(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Type == "resource_already_exists_exception" ||
		e.Type == "invalid_index_name_exception" && strings.Contains(e.Reason, "already exists as alias"))
}

// blocked reports whether an index could not be made because of a block, which a cluster looks at before it looks whether
// the index is there: OpenSearch blocks the making of indices while a disk is nearly full.
func blocked(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Type == "cluster_block_exception" || e.Type == "index_create_block_exception")
}

// there reports whether there is an index, or an alias, of that name.
func (x *Indices) there(ctx context.Context, name string) bool {
	return x.call(ctx, http.MethodHead, "/"+url.PathEscape(name), nil, nil) == nil
}

// templateOf is the template whose pattern matches an index.
func (x *Indices) templateOf(name string) (Template, bool) {
	for _, t := range x.templates {
		if matched, err := path.Match(t.Pattern, name); err == nil && matched {
			return t, true
		}
	}
	return Template{}, false
}

// ensure makes sure, once, that every template is in the cluster. Without ours, a built-in one might make a data stream of
// an index's name for good. blind says that the role may not see templates, as a writer of Elasticsearch's may not.
func (x *Indices) ensure(ctx context.Context) (blind bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, t := range x.templates {
		if x.ready[t.Name] {
			continue
		}
		version, err := x.installed(ctx, t)
		if forbidden(err) {
			return true, nil
		}
		if err == nil && version < Version {
			err = x.replace(ctx, t, version)
		}
		if err != nil {
			return false, err
		}
		x.ready[t.Name] = true
	}
	return false, nil
}

// replace installs a template over the version that is there, 0 for none. A role that may not is enough as long as there
// is some version.
func (x *Indices) replace(ctx context.Context, t Template, version int) error {
	_, err := x.install(ctx, t)
	switch {
	case err == nil:
		x.log.Info("index template installed", zap.String("template", t.Name), zap.String("pattern", t.Pattern), zap.Int("version", Version))
		return nil
	case forbidden(err) && version > 0:
		x.log.Warn("an older index template is in the cluster, run trailship setup with the set-up role to bring it up to date",
			zap.String("template", t.Name), zap.Int("version", version))
		return nil
	case forbidden(err):
		return fmt.Errorf("the index template is missing: run trailship setup with the set-up role: %w", err)
	}
	return err
}

// installed is the version of the template that is in the cluster, 0 when there is none.
func (x *Indices) installed(ctx context.Context, t Template) (int, error) {
	var answer struct {
		Templates []struct {
			Template struct {
				Version int `json:"version"`
			} `json:"index_template"`
		} `json:"index_templates"`
	}
	err := x.call(ctx, http.MethodGet, "/_index_template/"+url.PathEscape(t.Name), nil, &answer)
	if has(err, http.StatusNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading index template %s: %w", t.Name, err)
	}
	if len(answer.Templates) == 0 {
		return 0, nil
	}
	return max(1, answer.Templates[0].Template.Version), nil
}

// install puts the template into the cluster, with the types that the cluster takes.
func (x *Indices) install(ctx context.Context, t Template) (types, error) {
	known := types{}
	for {
		err := x.call(ctx, http.MethodPut, "/_index_template/"+url.PathEscape(t.Name), t.body(known), nil)
		if err == nil {
			return known, nil
		}
		if !known.refused(err) {
			return nil, fmt.Errorf("installing index template %s for %s: %w", t.Name, t.Pattern, err)
		}
	}
}

// upgradeLive puts the mapping on the indices that exist, so that new fields are searchable in today's index too.
func (x *Indices) upgradeLive(ctx context.Context, t Template, known types) error {
	path := "/" + url.PathEscape(t.Pattern) + "/_mapping?allow_no_indices=true&ignore_unavailable=true"
	err := x.call(ctx, http.MethodPut, path, t.mappings(known), nil)
	if err != nil && !has(err, http.StatusNotFound) {
		return fmt.Errorf("updating the mapping of %s: %w", t.Pattern, err)
	}
	return nil
}
