package dev.kvorum.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.kvorum.api.authpb.AuthProto;
import dev.kvorum.api.etcdserverpb.AuthGrpc;
import dev.kvorum.api.etcdserverpb.ClusterGrpc;
import dev.kvorum.api.etcdserverpb.EtcdserverProto;
import dev.kvorum.api.etcdserverpb.KVGrpc;
import dev.kvorum.api.etcdserverpb.LeaseGrpc;
import dev.kvorum.api.etcdserverpb.MaintenanceGrpc;
import dev.kvorum.api.etcdserverpb.RaftInternalProto;
import dev.kvorum.api.etcdserverpb.RpcProto;
import dev.kvorum.api.etcdserverpb.WatchGrpc;
import dev.kvorum.api.leasepb.LeaseProto;
import dev.kvorum.api.membershippb.MembershipProto;
import dev.kvorum.api.mvccpb.KvProto;
import dev.kvorum.api.raftpb.RaftProto;
import dev.kvorum.api.snappb.SnapProto;
import dev.kvorum.api.v3electionpb.ElectionGrpc;
import dev.kvorum.api.v3electionpb.V3ElectionProto;
import dev.kvorum.api.v3lockpb.LockGrpc;
import dev.kvorum.api.v3lockpb.V3LockProto;
import dev.kvorum.api.walpb.RecordProto;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Our .proto files against the table of etcd's: same packages, names, numbers, types, labels and methods.
class MessagesTest {
  private static final List<FileDescriptor> FILES =
      List.of(
          RpcProto.getDescriptor(),
          RaftInternalProto.getDescriptor(),
          EtcdserverProto.getDescriptor(),
          KvProto.getDescriptor(),
          AuthProto.getDescriptor(),
          MembershipProto.getDescriptor(),
          LeaseProto.getDescriptor(),
          RecordProto.getDescriptor(),
          SnapProto.getDescriptor(),
          V3LockProto.getDescriptor(),
          V3ElectionProto.getDescriptor(),
          RaftProto.getDescriptor());

  @Test
  void everyFieldAndEnumValueOfEtcdIsHereAndNoOther() throws IOException {
    TreeSet<String> expected = new TreeSet<>();
    for (String[] row : Reference.rows("messages.tsv")) {
      String owner = row[0] + "." + row[1];
      // The version annotations are for etcd's own upgrade checks; reserved names carry nothing.
      if (row[0].equals("versionpb") || row[4].equals("reserved")) {
        continue;
      }
      expected.add(
          row[2].equals("(no fields)")
              ? owner
              : String.join(" ", owner, row[2], row[3], row[4], row[4].equals("enum value") ? "enum" : row[5]));
    }
    assertThat(ours()).containsExactlyElementsOf(expected);
  }

  private static TreeSet<String> ours() {
    TreeSet<String> rows = new TreeSet<>();
    for (FileDescriptor file : FILES) {
      file.getEnumTypes().forEach(type -> addEnum(rows, type));
      file.getMessageTypes().forEach(type -> addMessage(rows, type));
    }
    return rows;
  }

  private static void addEnum(TreeSet<String> rows, EnumDescriptor type) {
    type.getValues()
        .forEach(v -> rows.add(type.getFullName() + " " + v.getName() + " " + v.getNumber() + " enum value enum"));
  }

  private static void addMessage(TreeSet<String> rows, Descriptor type) {
    if (type.getFields().isEmpty()) {
      rows.add(type.getFullName());
    }
    type.getEnumTypes().forEach(nested -> addEnum(rows, nested));
    for (FieldDescriptor field : type.getFields()) {
      rows.add(
          String.join(" ", type.getFullName(), field.getName(), "" + field.getNumber(), label(field), typeName(field)));
    }
  }

  private static String label(FieldDescriptor field) {
    if (field.getContainingOneof() != null) {
      return "oneof " + field.getContainingOneof().getName();
    }
    if (field.isRepeated()) {
      return "repeated";
    }
    return field.getFile().toProto().getSyntax().equals("proto3") ? "singular" : "optional";
  }

  /// The name as the table has it: bare within the package, qualified across.
  private static String typeName(FieldDescriptor field) {
    return switch (field.getType()) {
      case MESSAGE -> relative(field, field.getMessageType().getFile(), field.getMessageType().getName(),
          field.getMessageType().getFullName());
      case ENUM -> relative(field, field.getEnumType().getFile(), field.getEnumType().getName(),
          field.getEnumType().getFullName());
      default -> field.getType().name().toLowerCase(java.util.Locale.ROOT);
    };
  }

  private static String relative(FieldDescriptor field, FileDescriptor file, String name, String fullName) {
    return file.getPackage().equals(field.getFile().getPackage()) ? name : fullName;
  }

  @Test
  void repeatedNumbersOfRaftAreNotPacked() {
    FieldDescriptor voters = RaftProto.getDescriptor().findMessageTypeByName("ConfState").findFieldByName("voters");
    assertThat(voters.isPacked()).isFalse();
  }

  @Test
  void everyMethodOfEtcdIsHereAndNoOther() throws IOException {
    Map<String, String> expected = new TreeMap<>();
    for (String line : Reference.lines("messages.tsv")) {
      if (line.matches("#   \\S+ : .*") && !line.contains("grpc.health")) {
        String[] halves = line.substring(1).strip().split(" : ", 2);
        for (String method : halves[1].split(", ")) {
          String name = method.replaceAll("\\(.*", "");
          String kind = method.contains("(") ? method.substring(method.indexOf('(')) : "";
          expected.put(halves[0] + "/" + name, kind);
        }
      }
    }
    Map<String, String> ours = new TreeMap<>();
    for (FileDescriptor file : FILES) {
      for (ServiceDescriptor service : file.getServices()) {
        service.getMethods().forEach(method -> ours.put(service.getFullName() + "/" + method.getName(), kind(method)));
      }
    }
    assertThat(ours).isEqualTo(expected).hasSize(49);
  }

  private static String kind(MethodDescriptor method) {
    if (method.isClientStreaming()) {
      return "(client-stream+server-stream)";
    }
    return method.isServerStreaming() ? "(server-stream)" : "";
  }

  @Test
  void everyMethodHasAStub() {
    long stubs =
        Stream.of(
                KVGrpc.getServiceDescriptor(),
                WatchGrpc.getServiceDescriptor(),
                LeaseGrpc.getServiceDescriptor(),
                ClusterGrpc.getServiceDescriptor(),
                MaintenanceGrpc.getServiceDescriptor(),
                AuthGrpc.getServiceDescriptor(),
                LockGrpc.getServiceDescriptor(),
                ElectionGrpc.getServiceDescriptor())
            .mapToLong(service -> service.getMethods().size())
            .sum();
    assertThat(stubs).isEqualTo(49);
  }
}
