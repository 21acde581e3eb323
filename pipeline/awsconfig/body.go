package awsconfig

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A body is a request's body without io.WriterTo. The SDK closes a request's body as soon as the answer begins, and says
// io.EOF as an error to a net/http that is still about to ask, by WriteTo, whether there is more of it than announced. On
// a busy machine net/http then closes the connection in the middle of the answer: ten messages received are lost until
// their visibility timeout has passed. Without WriteTo it reads, and io.EOF is the end. (smithy-go 1.28.8,
// transport/http/internal/io/safe.go; net/http, transferWriter.writeBody.)
type body struct{ io.ReadSeeker }

// Len is how much is left to read, for the SDK.
func (b body) Len() int {
	if l, ok := b.ReadSeeker.(interface{ Len() int }); ok {
		return l.Len()
	}
	return 0 // cannot be: see plainBodies
}

// plainBodies lets every operation send its body as a body. That is the last step before the request is sent: those before
// it, which make its checksum, read quicker with WriteTo.
func plainBodies(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("PlainBody",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			req, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return next.HandleFinalize(ctx, in)
			}
			stream, seeks := req.GetStream().(io.ReadSeeker)
			if _, sized := stream.(interface{ Len() int }); seeks && sized {
				plain, err := req.SetStream(body{stream})
				if err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("preparing the request's body: %w", err)
				}
				in.Request = plain
			}
			return next.HandleFinalize(ctx, in)
		}), middleware.After)
}
