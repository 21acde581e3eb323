package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/export"
)

// export sends all events of a query as a file, page by page as they are found. When the reader gives up, so does the
// search. An error in the midst breaks the connection off, and so does a page that lacks events: half a file is not to be
// taken for a whole one.
func (h *handler) export(w http.ResponseWriter, r *http.Request) {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		h.refuse(w, r, history.Wrong("the address is malformed: %v", err))
		return
	}
	a := &asked{parameters: parameters}
	format, err := a.take("format")
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	file, err := export.New(cmp.Or(format, export.CSV), w)
	if err != nil {
		h.refuse(w, r, history.Wrong("%v", err))
		return
	}
	q, err := a.query()
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	q.Records, q.Limit = export.Records(format), history.MaxLimit
	page, err := h.page(r.Context(), q)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", kindOfExport(format))
	header.Set("Content-Disposition", `attachment; filename="events-`+time.Now().UTC().Format("20060102T150405Z")+"."+cmp.Or(format, export.CSV)+`"`)
	if err := h.exportPages(r.Context(), q, page, file); err != nil {
		if r.Context().Err() == nil {
			h.log.Error("events could not be exported", zap.Error(err))
		}
		panic(http.ErrAbortHandler)
	}
}

func (h *handler) exportPages(ctx context.Context, q history.Query, page history.Page, file export.Writer) error {
	for {
		if err := file.Write(page.Events); err != nil {
			return err
		}
		if page.Next == "" {
			return file.End()
		}
		q.After = page.Next
		var err error
		if page, err = h.page(ctx, q); err != nil {
			return err
		}
	}
}

// page asks for one whole page within the deadline of a search.
func (h *handler) page(ctx context.Context, q history.Query) (history.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	page, err := h.search.Events(ctx, q)
	if err != nil {
		return page, cmp.Or(ctx.Err(), err)
	}
	if page.Lacks != "" {
		return page, &history.StoreError{Reason: "the file would not have everything: " + page.Lacks, Err: errNotWhole}
	}
	return page, nil
}

var errNotWhole = errors.New("a page lacks events")

func kindOfExport(format string) string {
	switch format {
	case export.JSON:
		return "application/json; charset=utf-8"
	case export.NDJSON:
		return "application/x-ndjson; charset=utf-8"
	}
	return "text/csv; charset=utf-8; header=present"
}
