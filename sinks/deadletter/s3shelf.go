package deadletter

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// stackObject is one object of letters.
type stackObject struct {
	bucket *bucket
	key    string
	text   []byte // decompressed
}

// Stacks implements Shelf. Objects of days that are left out are not read.
func (b *bucket) Stacks(ctx context.Context, since, until time.Time) iter.Seq2[Stack, error] {
	return func(yield func(Stack, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: aws.String(b.name)}
		if b.prefix != "" {
			in.Prefix = aws.String(b.prefix)
		}
		if !since.IsZero() {
			in.StartAfter = aws.String(b.prefix + since.UTC().Format("2006/01/02"))
		}
		for {
			var page *s3.ListObjectsV2Output
			err := b.do(func(c *s3.Client) (err error) {
				page, err = c.ListObjectsV2(ctx, in)
				return err
			})
			if err != nil {
				yield(nil, fmt.Errorf("listing %s: %w", b, err))
				return
			}
			for _, o := range page.Contents {
				if !b.give(ctx, aws.ToString(o.Key), until, yield) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) {
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}

// give reads the object and gives it to yield, unless it is none of letters or begins after until.
func (b *bucket) give(ctx context.Context, key string, until time.Time, yield func(Stack, error) bool) bool {
	at, ok := objectTime(key)
	if !ok || !until.IsZero() && at.After(until) {
		return true
	}
	text, err := b.get(ctx, key)
	if err != nil {
		return yield(nil, err)
	}
	return text == nil || yield(&stackObject{b, key, text}, nil)
}

// objectTime is the time in an object's name.
func objectTime(key string) (time.Time, bool) {
	name := path.Base(key)
	stamp, _, _ := strings.Cut(name, "-")
	at, err := time.Parse(fileTime, stamp)
	return at, err == nil && strings.HasSuffix(name, suffix)
}

// get reads an object, nil when another replay has taken it away.
func (b *bucket) get(ctx context.Context, key string) (text []byte, err error) {
	err = b.do(func(c *s3.Client) error {
		out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(b.name), Key: aws.String(key)})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		z, err := gzip.NewReader(out.Body)
		if err != nil {
			return err
		}
		text, err = io.ReadAll(z)
		return err
	})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", b.name, key, err)
	}
	return text, nil
}

func (s *stackObject) String() string { return "s3://" + s.bucket.name + "/" + s.key }

// Letters implements Stack.
func (s *stackObject) Letters(context.Context) iter.Seq2[*Kept, error] {
	return func(yield func(*Kept, error) bool) {
		for line := range bytes.Lines(s.text) {
			k, err := parseLetter(line, "")
			if err != nil {
				err = fmt.Errorf("reading %s: %w", s, err)
			}
			if !yield(k, err) {
				return
			}
		}
	}
}

// Remove implements Stack. An object cannot be changed: what stays goes to a new one before the old one is deleted. When
// that is interrupted letters are there twice, which is harmless.
func (s *stackObject) Remove(ctx context.Context, gone func(int) bool) error {
	var rest bytes.Buffer
	i := 0
	for line := range bytes.Lines(s.text) {
		if !gone(i) {
			rest.Write(line)
		}
		i++
	}
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	if rest.Len() == len(s.text) {
		return nil
	}
	if rest.Len() > 0 {
		stamp, _, _ := strings.Cut(path.Base(s.key), "-") // they are as old as they were
		if err := s.bucket.put(ctx, objectKey(path.Dir(s.key), stamp), rest.Bytes()); err != nil {
			return err
		}
	}
	err := s.bucket.do(func(c *s3.Client) error {
		_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(s.bucket.name), Key: aws.String(s.key)})
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting %s: %w", s, err)
	}
	return nil
}

// gone reports whether S3 says that there is no such object.
func gone(err error) bool {
	var none interface{ ErrorCode() string }
	return errors.As(err, &none) && (none.ErrorCode() == "NoSuchKey" || none.ErrorCode() == "NotFound")
}
