package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

const normalizeHelp = `normalize reads CloudTrail records and writes one ECS document a line to stdout, in the order of the records. It needs no
AWS, no cluster and no configuration.

Each input is a CloudTrail log file, an array of records, or one record a line; gzip, zstd or plain. Without a file, or
for "-", it reads stdin; there each document is written as soon as its record was read, so that it works inside of a pipe
that never ends. A record that cannot be read is refused with one line on stderr, and the others go on.

With --config the filters, labels, tags, redaction, MMDB files and user agents of that file count; AWS is not asked. With
--explain each record that a filter leaves out is said on stderr, with its rule.

Exit code 1 says that some records were refused, or that a file could not be read to its end.`

const normalizeExample = `  trailship normalize 111122223333_CloudTrail_eu-west-1_20261121T0000Z_abc.json.gz
  aws s3 cp s3://my-trail/AWSLogs/111122223333/CloudTrail/…json.gz - | trailship normalize | jq .user.name
  tail -F records.ndjson | trailship normalize --retain minimal
  trailship normalize --config trailship.yaml --explain day.json.gz >/dev/null`

func newNormalize() *cobra.Command {
	var format ecs.Config
	var file string
	var explain bool
	cmd := &cobra.Command{
		Use:     "normalize [FILE...]",
		Short:   "Turn CloudTrail files or a stream of records into ECS documents",
		Long:    normalizeHelp,
		Example: normalizeExample,
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := format.Retain.Validate(); err != nil {
				return fmt.Errorf("reading --retain: %w", err)
			}
			if len(files) == 0 {
				files = []string{"-"}
			}
			if explain && file == "" {
				return errors.New("reading --explain: it says which filter left a record out: name the file that has filters with --config")
			}
			shaper, err := newShaper(file, &format)
			if err != nil {
				return err
			}
			n := newNormalizer(format, cmd.OutOrStdout(), cmd.ErrOrStderr())
			n.shaper = shaper
			if explain {
				shaper.explain = cmd.ErrOrStderr()
			}
			return worked(n.files(files, cmd.InOrStdin()))
		},
	}
	cmd.Flags().StringVar((*string)(&format.Retain), "retain", string(ecs.RetainAll),
		"which copies of the free-form objects to keep: all, keyword, flattened, minimal or none")
	cmd.Flags().BoolVar(&format.KeepOriginal, "keep-original", false, "keep each record as event.original, byte for byte")
	cmd.Flags().StringVar(&format.Namespace, "namespace", "default", "data_stream.namespace")
	cmd.Flags().StringVarP(&file, "config", "c", "", "take filters, labels, tags, redaction and databases from this configuration")
	cmd.Flags().BoolVar(&explain, "explain", false, "say on stderr which records are left out, and by which rule")
	return cmd
}

// normalizer writes the records of one input after another. What it holds does not grow with the input.
type normalizer struct {
	reader  *cloudtrail.Reader
	encoder *ecs.Encoder
	shaper  *shaper // nil: records are written as they are
	out     *bufio.Writer
	errs    io.Writer
	line    []byte
}

func newNormalizer(format ecs.Config, out, errs io.Writer) *normalizer {
	return &normalizer{
		reader:  cloudtrail.NewReader(),
		encoder: ecs.NewEncoder(format),
		out:     bufio.NewWriterSize(out, 64<<10),
		errs:    errs,
	}
}

// files writes the records of every file, going on behind one that cannot be read.
func (n *normalizer) files(paths []string, stdin io.Reader) error {
	whole := true
	for _, path := range paths {
		refused, err := n.file(path, stdin)
		if werr := (*writeError)(nil); errors.As(err, &werr) {
			return err
		}
		if err != nil {
			fmt.Fprintln(n.errs, err)
		}
		whole = whole && err == nil && refused == 0
	}
	if !whole {
		return errReported
	}
	return nil
}

func (n *normalizer) file(path string, stdin io.Reader) (refused int, err error) {
	if path == "-" {
		return n.input("stdin", stdin, &cloudtrail.Object{Read: time.Now()})
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("reading: %w", err)
	}
	defer file.Close()
	return n.input(path, file, &cloudtrail.Object{Key: path, Read: time.Now(), KeyInfo: cloudtrail.ParseKey(path)})
}

// input writes the records of src, which messages call name.
func (n *normalizer) input(name string, src io.Reader, object *cloudtrail.Object) (refused int, err error) {
	live := streams(src)
	n.reader.Reset(src, object)
	for {
		record, err := n.reader.Next()
		var bad *cloudtrail.Refused
		switch {
		case errors.Is(err, io.EOF):
			return refused, n.flush()
		case errors.As(err, &bad):
			refused++
			fmt.Fprintf(n.errs, "%s: record %d at byte %d is refused: %v\n", name, bad.Number, bad.Offset, bad.Err)
			continue
		case err != nil:
			return refused, errors.Join(fmt.Errorf("reading %s: %w", name, err), n.flush())
		}
		if n.shaper != nil {
			if record, err = n.shaper.shape(name, record, n.encoder.Fragments()); err != nil {
				return refused, err
			}
		}
		if record == nil {
			continue
		}
		if err := n.write(record, live); err != nil {
			return refused, err
		}
	}
}

// streams reports whether more may come from src while we wait: it is a pipe, a terminal or a socket, not a file on disk.
func streams(src io.Reader) bool {
	file, ok := src.(*os.File)
	if !ok {
		return true
	}
	info, err := file.Stat()
	return err != nil || !info.Mode().IsRegular()
}

// writeError is an error of stdout: there is nobody left to write for. (A reader that went away ends the process before
// that, without a word, as it does every Unix filter: Go keeps SIGPIPE deadly for stdout.)
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

func (n *normalizer) write(r *cloudtrail.Record, now bool) error {
	n.line = n.encoder.Append(n.line[:0], r)
	n.encoder.Stamp(n.line, time.Now())
	n.line = append(n.line, '\n')
	if _, err := n.out.Write(n.line); err != nil {
		return &writeError{fmt.Errorf("writing documents: %w", err)}
	}
	if now {
		return n.flush()
	}
	return nil
}

func (n *normalizer) flush() error {
	if err := n.out.Flush(); err != nil {
		return &writeError{fmt.Errorf("writing documents: %w", err)}
	}
	return nil
}
