import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URI;

/** Asks for one URL as a Java program does: proxy and trust come from JAVA_TOOL_OPTIONS, only the credentials from here. */
class Get {
  public static void main(String[] words) throws IOException {
    String[] credentials = URI.create(System.getenv("HTTPS_PROXY")).getUserInfo().split(":", 2);
    Authenticator.setDefault(new Authenticator() {
      @Override
      protected PasswordAuthentication getPasswordAuthentication() {
        return new PasswordAuthentication(credentials[0], credentials[1].toCharArray());
      }
    });
    HttpURLConnection connection = (HttpURLConnection) URI.create(words[0]).toURL().openConnection();
    int status = connection.getResponseCode();
    System.out.println(status + " " + connection.getHeaderField("Sallyport-Reason"));
    try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      body.transferTo(System.out);
    }
  }
}
