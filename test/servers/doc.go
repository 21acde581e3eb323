// Package servers starts the real servers of the tests: OpenSearch 3, OpenSearch 2 with its security plugin,
// Elasticsearch 7, and moto for S3 and SQS. All of them come from package registries, put into one folder by the script
// install; each runs as a process of its own on ports the system chooses, with its files in a temporary folder, so that
// several can run beside each other.
//
// The suite itself needs the build tag servers. test/run runs it:
//
//	test/run --only servers
package servers
