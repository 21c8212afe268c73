// segmentio/kafka-go as a peer of the cross-client tests.
//
//	kafka-go write BROKERS TOPIC [CODEC]
//	    writes "key<TAB>value" lines of stdin, compressed by gzip, snappy, lz4 or zstd
//	kafka-go read BROKERS GROUP COUNT TOPIC...
//	    reads COUNT records as a member of GROUP, commits them, leaves, and
//	    prints them as "topic<TAB>partition<TAB>offset<TAB>key<TAB>value"
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Messages between two commits.
const commitEvery = 1000

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 3 && args[0] == "write":
		err = write(ctx, strings.Split(args[1], ","), args[2], "none")
	case len(args) == 4 && args[0] == "write":
		err = write(ctx, strings.Split(args[1], ","), args[2], args[3])
	case len(args) >= 5 && args[0] == "read":
		err = read(ctx, strings.Split(args[1], ","), args[2], args[3], args[4:])
	default:
		err = fmt.Errorf("not a command: %q", args)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func write(ctx context.Context, brokers []string, topic, codec string) error {
	var compression kafka.Compression
	if err := compression.UnmarshalText([]byte(codec)); err != nil {
		return err
	}
	writer := &kafka.Writer{
		Addr:         kafka.TCP(brokers...),
		Topic:        topic,
		Balancer:     &kafka.Hash{},
		RequiredAcks: kafka.RequireAll,
		Compression:  compression,
		BatchSize:    1000,
		BatchTimeout: 5 * time.Millisecond,
	}
	var messages []kafka.Message
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "\t")
		messages = append(messages, kafka.Message{Key: []byte(key), Value: []byte(value)})
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := writer.WriteMessages(ctx, messages...); err != nil {
		return err
	}
	return writer.Close()
}

func read(ctx context.Context, brokers []string, group, count string, topics []string) error {
	left, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers:     brokers,
		GroupID:     group,
		GroupTopics: topics,
		StartOffset: kafka.FirstOffset,
		MaxWait:     200 * time.Millisecond,
	})
	output := bufio.NewWriter(os.Stdout)
	var done []kafka.Message
	for ; left > 0; left-- {
		message, err := reader.FetchMessage(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(output, "%s\t%d\t%d\t%s\t%s\n",
			message.Topic, message.Partition, message.Offset, message.Key, message.Value)
		done = append(done, message)
		if len(done) == commitEvery || left == 1 {
			if err := reader.CommitMessages(ctx, done...); err != nil {
				return err
			}
			done = done[:0]
		}
	}
	if err := reader.Close(); err != nil {
		return err
	}
	return output.Flush()
}
