package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
)

// How writes are merged: one transaction takes what waits, up to so many records, and waits so long for more.
const (
	groupRecords = 2000
	groupLinger  = 2 * time.Millisecond
)

// ErrClosed is the error of a write to a store that was closed.
var ErrClosed = errors.New("the store is closed")

// Store is a pipeline.Sink. Its methods may be called concurrently.
type Store struct {
	*Reader
	log       *zap.Logger
	retention Retention
	db        *sql.DB
	insert    *inserter
	packer    *packer
	desks     sync.Pool // of *desk
	requests  chan *request
	closing   chan struct{}
	shut      func() error // ends it, once
	done      chan struct{}
	failure   atomic.Pointer[error] // of the last transaction
}

var (
	_ pipeline.Sink      = (*Store)(nil)
	_ pipeline.Readiness = (*Store)(nil)
)

// request is one Write on its way through the writer goroutine. rows and fates belong to that goroutine until done is
// closed.
type request struct {
	rows       []row
	dictionary *dictionary // a new one to be kept, nil mostly
	fates      []pipeline.Fate
	err        error
	done       chan struct{}
}

// dictionary is a compression dictionary.
type dictionary struct {
	id   uint32
	data []byte
}

// Open opens the store at cfg.Path and makes it when there is none. cfg is valid. A file that is not a store, or of
// another version, or damaged where that shows at once, is an error and stays as it is. The caller closes the store.
func Open(ctx context.Context, cfg Config, log *zap.Logger) (*Store, error) {
	if err := ensure(ctx, cfg.Path); err != nil {
		return nil, err
	}
	reader, err := OpenReader(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{
		Reader: reader, log: log, retention: cfg.Retention,
		requests: make(chan *request), closing: make(chan struct{}), done: make(chan struct{}),
	}
	s.desks.New = func() any { return new(desk) }
	if err := s.start(ctx, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store: %w", storeError(cfg.Path, err)), reader.Close())
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, cfg Config) error {
	db, err := connect(cfg.Path, forWriting, "synchronous(FULL)", "wal_autocheckpoint(8000)", "journal_size_limit(67108864)", "cache_size(-32768)")
	if err != nil {
		return err
	}
	s.shut = sync.OnceValue(func() error {
		close(s.closing)
		<-s.done
		// The writer's connection is the last one, since that empties the log into the file.
		return errors.Join(s.Reader.Close(), db.Close())
	})
	db.SetMaxOpenConns(1)
	s.db = db
	s.insert, err = newInserter(ctx, db)
	var dictionaries [][]byte
	if err == nil {
		dictionaries, err = readDictionaries(ctx, s.Reader.db)
	}
	var newest []byte
	if len(dictionaries) > 0 {
		newest = dictionaries[len(dictionaries)-1]
	}
	if err == nil {
		s.packer, err = newPacker(newest)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	go s.run(context.WithoutCancel(ctx))
	return nil
}

// Close ends the store: what was given to Write is committed first. Later writes are refused. It may be called again.
func (s *Store) Close() error { return s.shut() }

// Ready says whether the last transaction was committed.
func (s *Store) Ready() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Write stores the records of the batch, not the documents. It returns when they are committed and synced. A record whose
// id the store has is a duplicate; none is ever refused. When ctx ends first, they may be committed later.
func (s *Store) Write(ctx context.Context, b *pipeline.Batch) ([]pipeline.Fate, error) {
	if b.Len() == 0 {
		return nil, nil
	}
	q := &request{rows: make([]row, b.Len()), fates: make([]pipeline.Fate, b.Len()), done: make(chan struct{})}
	k := s.desks.Get().(*desk)
	defer s.desks.Put(k)
	b.Recall()
	for i := range q.rows {
		if err := k.record.Parse(b.Record(i)); err != nil {
			return nil, fmt.Errorf("reading record %s: %w", b.ID(i), err) // cannot be: it was parsed when it was read
		}
		q.rows[i] = k.newRow(b, i, s.packer)
		if full, id := s.packer.sample(&k.record); full != nil {
			q.dictionary = s.train(full, id)
		}
	}
	select {
	case s.requests <- q:
	case <-s.closing:
		return nil, fmt.Errorf("writing %d records: %w", b.Len(), ErrClosed)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-q.done:
		return q.fates, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// train makes a dictionary of samples, nil when that does not work: then records take more room and all else is well.
func (s *Store) train(full *samples, id uint32) *dictionary {
	data, err := full.dictionary(id)
	if err != nil {
		s.log.Warn("store goes on without a compression dictionary", zap.Error(err))
		return nil
	}
	return &dictionary{id, data}
}

// run is the writer goroutine.
func (s *Store) run(ctx context.Context) {
	defer close(s.done)
	retention := time.NewTimer(retentionPause)
	defer retention.Stop()
	if s.retention == (Retention{}) {
		retention.Stop()
	}
	for {
		select {
		case q := <-s.requests:
			s.commit(ctx, s.gather(q))
			s.tidy(ctx)
		case now := <-retention.C:
			pause := retentionEvery
			if s.retain(ctx, s.retention, now) {
				pause = retentionPause
			}
			retention.Reset(pause)
		case <-s.closing:
			return
		}
	}
}

// gather waits a moment for further requests.
func (s *Store) gather(first *request) []*request {
	group, records := []*request{first}, len(first.rows)
	linger := time.NewTimer(groupLinger)
	defer linger.Stop()
	for records < groupRecords {
		select {
		case q := <-s.requests:
			group = append(group, q)
			records += len(q.rows)
		case <-linger.C:
			return group
		case <-s.closing:
			return group
		}
	}
	return group
}

// commit stores the rows of a group in one transaction and ends its requests.
func (s *Store) commit(ctx context.Context, group []*request) {
	var rows []*row
	var made *dictionary
	for _, q := range group {
		for i := range q.rows {
			rows = append(rows, &q.rows[i])
		}
		if q.dictionary != nil {
			made = q.dictionary
		}
	}
	fates := make([]pipeline.Fate, len(rows))
	code := s.packer.coder.Load()
	err := s.transaction(ctx, func(ctx context.Context) (err error) {
		if made != nil {
			if code, err = s.keep(ctx, made); err != nil {
				return err
			}
		}
		if err := s.recode(rows, code); err != nil {
			return err
		}
		return s.insert.insert(ctx, rows, fates)
	})
	if err != nil {
		err = fmt.Errorf("storing %d records: %w", len(rows), storeError(s.path, err))
		s.failure.Store(&err)
	} else { // before anybody is answered, who may then ask
		s.packer.coder.Store(code)
		s.failure.Store(nil)
	}
	for _, q := range group {
		if q.err = err; err == nil {
			fates = fates[copy(q.fates, fates):]
		}
		close(q.done)
	}
}

// keep keeps a dictionary with the transaction. Its coder is good for others when that is committed.
func (s *Store) keep(ctx context.Context, made *dictionary) (*coder, error) {
	data, err := s.insert.dictionary(ctx, made)
	if err != nil {
		return nil, err
	}
	return newCoder(data)
}

// recode compresses again what was compressed when there was no dictionary yet.
func (s *Store) recode(rows []*row, code *coder) error {
	if code.id == noDictionary {
		return nil
	}
	for _, r := range rows {
		if r.coded != noDictionary {
			continue
		}
		record, _, err := s.unpack.unpack(r.record)
		if err != nil {
			return fmt.Errorf("compressing records again: %w", err)
		}
		r.record, r.coded = code.EncodeAll(record, nil), code.id
	}
	return nil
}

// transaction runs f within a transaction of s.insert, with a context that never ends: a watcher for each statement would
// cost more than the statement, and none of them takes long.
func (s *Store) transaction(ctx context.Context, f func(context.Context) error) error {
	ctx = context.WithoutCancel(ctx)
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	s.insert.begin(ctx, tx)
	if err = f(ctx); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		s.insert.reset()
		tx.Rollback() //nolint:errcheck // the first error is the cause
	}
	return err
}
