import java.io.File;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;

/**
 * Prints what a release's own enums say of its APIs and error codes: one line per fact, tab-separated.
 * `api <release> <key> <name> <oldest> <latest> <latest, unstable ones included>` and
 * `error <release> <code> <name> <retriable>`.
 * By reflection, each release in a class loader of its own: the enums' shape changed over the years.
 *
 * Usage: java ReleaseFacts.java 2.1.1=first.jar:second.jar 2.2.2=...
 */
public final class ReleaseFacts {
    private ReleaseFacts() { }

    public static void main(String[] releases) throws Exception {
        for (String release : releases) {
            String[] parts = release.split("=", 2);
            List<URL> jars = new ArrayList<>();
            for (String path : parts[1].split(File.pathSeparator)) jars.add(new File(path).toURI().toURL());
            try (URLClassLoader loader = new URLClassLoader(jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
                printApis(parts[0], loader);
                printErrors(parts[0], loader);
            }
        }
    }

    private static void printApis(String release, ClassLoader loader) throws Exception {
        Class<?> type = loader.loadClass("org.apache.kafka.common.protocol.ApiKeys");
        Method hasVersion = methodOrNull(type, "hasValidVersion");
        Method latestOf = methodOrNull(type, "latestVersion", boolean.class);
        for (Object api : type.getEnumConstants()) {
            if (hasVersion != null && !(boolean) hasVersion.invoke(api)) continue;
            Object oldest = type.getMethod("oldestVersion").invoke(api);
            Object latest = latestOf == null ? type.getMethod("latestVersion").invoke(api) : latestOf.invoke(api, false);
            Object unstable = latestOf == null ? latest : latestOf.invoke(api, true);
            print("api", release, type.getField("id").get(api), type.getField("name").get(api), oldest, latest, unstable);
        }
    }

    private static void printErrors(String release, ClassLoader loader) throws Exception {
        Class<?> type = loader.loadClass("org.apache.kafka.common.protocol.Errors");
        Class<?> retriable = loader.loadClass("org.apache.kafka.common.errors.RetriableException");
        for (Object error : type.getEnumConstants()) {
            Object exception = type.getMethod("exception").invoke(error);
            print("error", release, type.getMethod("code").invoke(error), ((Enum<?>) error).name(), retriable.isInstance(exception));
        }
    }

    private static Method methodOrNull(Class<?> type, String name, Class<?>... parameters) {
        try {
            return type.getMethod(name, parameters);
        } catch (NoSuchMethodException absent) {
            return null;
        }
    }

    private static void print(Object... words) {
        List<String> texts = new ArrayList<>();
        for (Object word : words) texts.add(String.valueOf(word));
        System.out.println(String.join("\t", texts));
    }
}
