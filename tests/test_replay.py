"""Replay: what it records is what the network was, and watching changes nothing."""

import html
import json
import re
import zlib
from base64 import b64decode
from functools import partial

import numpy as np
import pandas as pd
import pytest

import nn
from autograd_core import FileError, OptionError, ShapeError
from nn import Activation, Adam, BatchNormalization, Dense, Dropout, Sequential
from nn.plots import Replay, ReplayPage, side_by_side
from nn.plots.replay import NEURON_SIDE, PLANE_SIDE, neuron_layers, shades
from tests.eyesight import least_difference

X, Y = nn.datasets.moons(40, noise=0.1, seed=0)


def trained(model=None, x=X, y=Y, loss="binary_crossentropy", epochs=3, rate=0.05, **options):
    """Return a replay after a training of five steps an epoch, and the model."""
    nn.set_seed(0)
    model = model or Sequential([Dense(4, "tanh"), Dense(1, "sigmoid")])
    model.compile(Adam(rate), loss=loss)
    replay = Replay(x, y, **options)
    model.fit(x, y, epochs=epochs, batch_size=8, verbose=0, callbacks=[replay])
    return replay, model


def numbers(text, dtype, steps):
    """Return what `packed` made text."""
    return np.frombuffer(zlib.decompress(b64decode(text)), dtype).reshape(steps, -1)


class TestWhatIsRecorded:
    def test_every_step_of_a_short_training(self):
        run = trained()[0].run()
        assert run["steps"] == list(range(16))
        assert run["epochs"] == [1, *[1] * 5, *[2] * 5, *[3] * 5]

    @pytest.mark.parametrize("frames", [2, 3, 7, 10])
    def test_of_a_long_one_even_steps_with_the_first_and_the_last(self, frames):
        steps = trained(epochs=5, frames=frames)[0].run()["steps"]
        assert len(steps) <= frames
        assert (steps[0], steps[-1]) == (0, 25)
        assert len(set(np.diff(steps[:-1]))) <= 1

    def test_loss_and_accuracy_are_those_of_all_samples_at_that_step(self):
        replay, model = trained()
        run = replay.run()
        loss = model.evaluate(X, Y)
        accuracy = np.mean(model.predict_classes(X) == Y)
        assert run["loss"][-1] == pytest.approx(loss, rel=1e-12)
        assert run["accuracy"][-1] == accuracy
        assert run["loss"][0] > run["loss"][-1]

    def test_parameters_are_weights_row_by_row_then_biases_of_each_layer(self):
        replay, model = trained()
        state = model.state_dict()
        names = ("0.weight", "0.bias", "1.weight", "1.bias")
        last = np.concatenate([np.ravel(state[name]) for name in names])
        kept = numbers(replay.run()["parameters"], np.float32, 16)
        np.testing.assert_array_equal(kept[-1], last.astype(np.float32))
        assert not np.array_equal(kept[0], kept[-1])

    def test_pictures_show_what_hidden_neurons_and_outputs_say(self):
        replay, model = trained()
        run = replay.run()
        grid = replay.plane.grid(NEURON_SIDE)
        hidden = shades(model.layers[0](grid).data.T, 127)
        np.testing.assert_array_equal(numbers(run["neurons"], np.int8, 16)[-1], hidden.ravel())
        scores = 2 * model(replay.plane.grid(PLANE_SIDE)).data.T - 1
        expected = shades(scores, 1023)
        np.testing.assert_array_equal(numbers(run["scores"], np.int16, 16)[-1], expected.ravel())

    def test_right_samples(self):
        replay, model = trained()
        right = numbers(replay.run()["right"], bool, 16)
        np.testing.assert_array_equal(right[-1], model.predict_classes(X) == Y)

    def test_a_second_fit_begins_anew(self):
        replay, model = trained()
        model.fit(X, Y, epochs=1, batch_size=8, verbose=0, callbacks=[replay])
        assert replay.run()["steps"] == list(range(6))

    def test_of_many_samples_all_are_measured_and_some_are_shown(self):
        x, y = nn.datasets.moons(5000, noise=0.1, seed=0)
        replay, model = trained(x=x, y=y, epochs=1, frames=2)
        run = replay.run()
        assert len(run["points"]) == len(run["colours"]) == 2000
        assert run["points"][-1] == np.round(x[-1], 5).tolist()
        assert run["accuracy"][-1] == np.mean(model.predict_classes(x) == y)


class TestWatchingChangesNothing:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("built", [True, False])
    def test_not_the_weights(self, dtype, built):
        def weights(callbacks):
            nn.set_seed(0)
            dropout = [Dropout(0.3)] if built else []
            model = Sequential([Dense(4, "relu"), BatchNormalization(), *dropout, Dense(1)])
            if built:
                model.build((2,), dtype)
            model.compile(Adam(0.01), loss="mse")
            model.fit(X.astype(dtype), Y, epochs=2, verbose=0, callbacks=callbacks)
            return model.state_dict()

        alone, watched = weights([]), weights([Replay(X.astype(dtype), Y)])
        assert alone.keys() == watched.keys()
        for name, array in alone.items():
            assert array.dtype == watched[name].dtype
            np.testing.assert_array_equal(array, watched[name])

    def test_not_the_figures(self):
        histories = []
        for callbacks in ([], [Replay(X, Y)]):
            nn.set_seed(0)
            model = Sequential([Dense(1, "sigmoid")])
            model.compile("sgd", loss="binary_crossentropy", metrics=["accuracy"])
            fitted = model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks)
            histories.append(fitted.history)
        assert histories[0] == histories[1]


class TestNetworks:
    def test_layers_between_belong_to_the_dense_layer_before(self):
        layers = [Dense(4), BatchNormalization(), Activation("relu"), Dropout(0.5)]
        columns = neuron_layers(Sequential([*layers, Sequential([Dense(2, "softmax")])]), X)
        assert [column.functions for column in columns] == [
            ["BatchNormalization", "relu"],
            ["softmax"],
        ]
        assert [column.out.shape for column in columns] == [(40, 4), (40, 2)]

    def test_dropout_rests_and_training_goes_on(self):
        model = Sequential([Dense(4), Dropout(0.5), Dense(1)])
        first, second = neuron_layers(model, X)[-1].out, neuron_layers(model, X)[-1].out
        np.testing.assert_array_equal(first, second)
        assert model.layers[1].training

    def test_scalar_network(self):
        replay, model = trained(nn.MLP(2, [3, 1], activation="tanh"), y=2.0 * Y - 1, loss="hinge")
        run = replay.run()
        assert [column["units"] for column in run["columns"]] == [3, 1]
        assert run["classes"] == ["-1", "1"]
        weights = [float(p.data) for p in model.layers[0].neurons[0].parameters()]
        kept = numbers(run["parameters"], np.float32, 16)[-1]
        np.testing.assert_allclose(kept[[0, 1, 6]], weights, rtol=1e-6)
        assert run["accuracy"][-1] == np.mean((model(X).data[:, 0] > 0) == Y)

    def test_without_biases_and_without_hidden_layers(self):
        run = trained(Sequential([Dense(1, "sigmoid", use_bias=False)]))[0].run()
        assert run["columns"] == [{"units": 1, "bias": False, "functions": ["sigmoid"]}]
        assert numbers(run["parameters"], np.float32, 16).shape == (16, 2)

    def test_several_classes(self):
        x, y = nn.datasets.spirals(40, classes=3, seed=0)
        model = Sequential([Dense(4, "relu"), Dense(3, "softmax")])
        run = trained(model, x, y, "sparse_categorical_crossentropy")[0].run()
        assert run["classes"] == ["0", "1", "2"]
        assert run["colours"] == y.tolist()
        one_hot = trained(
            Sequential([Dense(3, "softmax")]), x, nn.one_hot(y), "categorical_crossentropy"
        )[0].run()
        assert one_hot["colours"] == y.tolist()

    def test_logits(self):
        loss = partial(nn.losses.binary_crossentropy, from_logits=True)
        replay, model = trained(Sequential([Dense(1)]), loss=loss)
        assert replay.run()["accuracy"][-1] == np.mean(model.predict_classes(X) == Y)

    def test_figures(self):
        run = trained(Sequential([Dense(1)]), y=X[:, 0] * 3.0, loss="mse")[0].run()
        assert run["classes"] is run["right"] is None
        assert set(run["accuracy"]) == {None}
        assert (min(run["colours"]), max(run["colours"])) == (-1, 1)

    def test_a_training_that_diverges_is_recorded_to_its_end(self):
        model = Sequential([Dense(4, "relu"), Dense(1)])
        with np.errstate(all="ignore"):
            replay, _ = trained(model, y=X[:, 0], loss="mse", rate=1e300)
        run = replay.run()
        assert run["loss"][-1] is None
        assert run["steps"][-1] == 15
        assert numbers(run["scores"], np.int16, 16)[-1, 0] == -1024
        json.dumps(run, allow_nan=False)


def test_shades():
    given = np.array([0.0, 1.0, -3.0, 1e300, -np.inf, np.nan])
    assert shades(given, 127).tolist() == [0, 64, -95, 127, -127, -128]
    assert shades(given, 1023).dtype == np.int16


class TestNames:
    def test_a_training_is_told_by_its_layers_and_its_optimizer(self):
        replay, model = trained()
        model.compile("sgd", "mse")  # of the next training
        assert replay.run()["title"] == "2-4-1 tanh sigmoid, Adam, learning rate 0.05"
        assert repr(replay) == f"Replay of {replay.title}: steps 0 to 15"
        assert repr(replay.page()) == f"ReplayPage of {replay.title}"

    def test_or_by_its_label(self):
        assert trained(label="fast")[0].run()["title"] == "fast"

    def test_before_training(self):
        assert repr(Replay(X, Y)) == "Replay of no training yet"
        assert Replay(X, Y)._repr_html_() is None

    def test_neuron_layers_a_frame(self):
        frame = pd.DataFrame(X, columns=["height", "weight"])
        assert trained(x=frame)[0].run()["names"] == ["height", "weight"]


class TestPage:
    def test_labels_are_text(self, tmp_path):
        hostile = "</script><script>alert(1)</script>{{script}} \" ' & \\"
        page = trained(label=hostile)[0].page().html()
        assert "<script>alert" not in page
        assert html.escape(hostile) in page
        data = page.split('type="application/json">')[1].split("</script>")[0]
        assert json.loads(data)[0]["title"] == hostile

    def test_is_one_file(self, tmp_path):
        replay, _ = trained()
        replay.save(tmp_path / "replay.html")
        page = (tmp_path / "replay.html").read_text(encoding="utf-8")
        assert page == replay.page().html()
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page
        assert page.count("src=") == page.count("<link") == 0

    def test_classes_differ_for_all_eyes_on_light_and_on_dark_ground(self):
        style = trained()[0].page().html().split("<style>")[1]
        found = re.findall(r"--[a-f]: (#[0-9a-f]{6});", style)
        light, dark = found[:6], found[6:]
        assert len(light) == len(dark) == 6
        assert least_difference(light) > 20
        assert least_difference(dark) > 20

    def test_shows_itself_in_a_notebook(self):
        shown = trained()[0]._repr_html_()
        assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
        assert shown.count("<") == 2  # of the frame alone
        assert 'sandbox="allow-scripts"' in shown

    def test_side_by_side(self):
        replays = [trained(label=label)[0] for label in "ab"]
        page = side_by_side(*replays)
        assert isinstance(page, ReplayPage)
        assert [run["title"] for run in page.runs] == ["a", "b"]
        assert "<title>a | b</title>" in page.html()


class TestBadInput:
    def test_more_than_two_columns(self):
        with pytest.raises(ShapeError, match="a plane has two axes"):
            Replay(np.zeros((4, 3)), np.zeros(4))

    @pytest.mark.parametrize("frames", [1, 0, 2.5])
    def test_too_few_frames(self, frames):
        with pytest.raises(OptionError, match="frames"):
            Replay(X, Y, frames=frames)

    @pytest.mark.parametrize(
        "act",
        [Replay.run, Replay.page, lambda r: r.save("a.html"), lambda r: side_by_side(r, r)],
        ids=["run", "page", "save", "side_by_side"],
    )
    def test_before_training(self, act):
        with pytest.raises(OptionError, match=r"no training has been recorded\n.*callbacks="):
            act(Replay(X, Y))

    def test_nothing_side_by_side(self):
        with pytest.raises(OptionError, match="there is no replay"):
            side_by_side()

    def test_too_many_neurons(self):
        with pytest.raises(OptionError, match="a replay of 101 neurons"):
            trained(Sequential([Dense(100), Dense(1)]))

    @pytest.mark.parametrize("layer", [nn.Reshape((1, 2)), nn.RBF(3), nn.Activation("relu")])
    def test_layers_of_another_kind(self, layer):
        with pytest.raises(OptionError, match=f"with {type(layer).__name__}.*\n.*a line for each"):
            trained(Sequential([layer, nn.Flatten(), Dense(1, "sigmoid")]))

    def test_another_ending(self, tmp_path):
        with pytest.raises(OptionError, match=r"a replay as replay.png"):
            trained()[0].save(tmp_path / "replay.png")

    def test_a_folder_that_does_not_exist(self, tmp_path):
        with pytest.raises(FileError, match="No such file"):
            trained()[0].save(tmp_path / "nowhere" / "replay.html")


class TestInTheBrowser:
    """The page itself; figures that it shows are held to those of the network."""

    def opened(self, browser, path, *replays, **options):
        (side_by_side(*replays) if replays[1:] else replays[0]).save(path / "replay.html")
        browser.open(path / "replay.html", **options)
        self.wait(browser, "document.documentElement.dataset.ready")
        return browser

    def wait(self, browser, condition):
        """Wait until it holds in the page."""
        script = f"""
            const done = arguments[0];
            const look = () => ({condition}) ? done() : setTimeout(look, 5);
            look();
        """
        browser.driver.execute_async_script(script)

    def colour(self, browser, selector, across, down):
        """Return the colour of a canvas, at a share of its width and height."""
        canvas = browser.find(selector)
        script = """
            const [canvas, x, y] = arguments;
            const spot = document.createElement("canvas");
            const context = spot.getContext("2d", { willReadFrequently: true });
            const [left, top] = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
            context.drawImage(canvas, -left, -top);
            return [...context.getImageData(0, 0, 1, 1).data];
        """
        return browser.run(script, canvas, across, down)

    def test_is_complete_at_first_sight(self, browser, tmp_path):
        replay, model = trained()
        page = self.opened(browser, tmp_path, replay)
        assert page.text("#where") == "step 15 of 15, epoch 3"
        assert page.text("h2") == replay.title
        [loss, accuracy] = [title.text for title in page.all(".curve .figure")]
        assert loss.startswith(f"Loss {model.evaluate(X, Y):.2f}")
        assert accuracy.startswith("Accuracy ")
        assert len(page.all(".neuron")) == 2 + 4 + 1
        assert len(page.all(".network path")) == 2 * 4 + 4
        assert "class 0" in page.text("#legend")

    def test_steps_forwards_and_backwards(self, browser, tmp_path):
        page = self.opened(browser, tmp_path, trained()[0])
        seen = []
        for button in ("first", "on", "on", "back", "last"):
            page.click(f"#{button}")
            seen.append(page.text("#where").split(" of")[0])
        assert seen == ["step 0", "step 1", "step 2", "step 1", "step 15"]
        assert not page.find("#on").is_enabled()
        page.run(
            """
            document.querySelector("#slider").value = 7;
            document.querySelector("#slider").dispatchEvent(new Event("input"));
            """
        )
        assert page.text("#where") == "step 7 of 15, epoch 2"
        assert "step 7 of 15" in page.find("#slider").get_attribute("aria-valuetext")

    def test_keys(self, browser, tmp_path):
        page = self.opened(browser, tmp_path, trained()[0])
        seen = []
        for key in ("\ue011", "\ue014", "\ue014", "\ue012", "\ue010"):  # Home → → ← End
            page.press(key)
            seen.append(page.text("#where").split(" of")[0])
        assert seen == ["step 0", "step 1", "step 2", "step 1", "step 15"]

    def test_plays_to_the_end(self, browser, tmp_path):
        page = self.opened(browser, tmp_path, trained(epochs=1)[0])
        page.press(" ")
        assert page.text("#play") == "‖ pause"
        self.wait(page, "playing === null")
        assert page.text("#where") == "step 5 of 5, epoch 1"
        assert page.text("#play") == "▶ play"

    def test_weights_are_lines_whose_width_and_colour_follow_them(self, browser, tmp_path):
        replay, model = trained()
        page = self.opened(browser, tmp_path, replay)
        lines = page.all(".network path")[:8]
        weights = model.layers[0].weight.data.ravel()
        widths = [float(line.value_of_css_property("stroke-width")[:-2]) for line in lines]
        assert np.argsort(widths).tolist() == np.argsort(np.abs(weights)).tolist()
        signs = [line.get_attribute("class") for line in lines]
        assert signs == ["negative" if weight < 0 else "positive" for weight in weights]
        page.click("#first")
        before = [float(line.value_of_css_property("stroke-width")[:-2]) for line in lines]
        assert before != widths

    def test_pictures_have_the_colour_of_the_class(self, browser, tmp_path):
        # The output is the sign of the first input
        model = Sequential([Dense(1, "tanh", kernel_initializer="zeros")])
        model.build((2,), np.float64)
        model.layers[0].weight.data = np.array([[5.0, 0.0]])
        x = np.array([[-1.0, -1.0], [1.0, 1.0]])
        replay, _ = trained(model, x, np.array([-1.0, 1.0]), "mse", epochs=1, rate=0.0)
        page = self.opened(browser, tmp_path, replay)
        for selector in (".axes canvas", ".neuron:nth-of-type(3) canvas"):
            red, _, blue, _ = self.colour(page, selector, 0.1, 0.4)
            assert blue > red + 40
            red, _, blue, _ = self.colour(page, selector, 0.9, 0.4)
            assert red > blue + 40  # orange
        boundary = self.colour(page, ".axes canvas", 0.5, 0.4)
        assert max(boundary[:3]) < 80

    def test_samples_on_the_wrong_side_have_a_ring(self, browser, tmp_path):
        model = Sequential([Dense(1, "tanh", kernel_initializer="zeros")])
        model.build((2,), np.float64)
        model.layers[0].weight.data = np.array([[5.0, 0.0]])
        x = np.array([[-1.0, -1.0], [1.0, -1.0], [0.5, 1.0]])
        replay, _ = trained(model, x, np.array([-1.0, 1.0, -1.0]), "mse", epochs=1, rate=0.0)
        page = self.opened(browser, tmp_path, replay)
        ring = 1.9 * 9 / 720
        at = [(c - 0.5) / 12 * 10 + 0.5 for c in (0, 1, 0.75)]
        below, above = 1 - (0.5 - 5 / 12), 0.5 - 5 / 12
        dark = [
            max(self.colour(page, ".axes canvas", a - ring, d)[:3]) < 120
            for a, d in zip(at, (below, below, above), strict=True)
        ]
        assert dark == [False, False, True]

    def test_a_neuron_shows_its_formula_and_its_picture(self, browser, tmp_path):
        replay, model = trained()
        page = self.opened(browser, tmp_path, replay)
        page.click("[aria-label='hidden layer 1, neuron 2']")
        first, second, bias = *model.layers[0].weight.data[1], model.layers[0].bias.data[1]
        caption = page.text("figcaption").replace("\u2212", "-")
        assert caption.startswith("hidden layer 1, neuron 2 = tanh(")
        told = caption.split("(")[1].replace("- ", "-").replace("+ ", "")
        found = [float(word) for word in told.replace(")", "").split() if "x" not in word]
        np.testing.assert_allclose(found, [first, second, bias], atol=0.006)
        pressed = page.all(".neuron[aria-pressed=true]")
        assert [each.get_attribute("aria-label") for each in pressed] == [
            "hidden layer 1, neuron 2"
        ]
        page.press("\ue00c")  # Escape
        assert page.all(".neuron[aria-pressed=true]") == []
        assert page.text("figcaption").startswith("the network")

    def test_the_loss_curve_marks_the_step_and_takes_one_there(self, browser, tmp_path):
        page = self.opened(browser, tmp_path, trained()[0])
        marker = "return Number(document.querySelector('.curve circle.now').getAttribute('cx'))"
        right = page.run(marker)
        page.click("#first")
        assert page.run(marker) < right
        page.run(
            """
            const svg = document.querySelector(".curve"), box = svg.getBoundingClientRect();
            const share = (44 + (360 - 54) * 8 / 15) / 360;
            const clientX = box.left + box.width * share;
            svg.dispatchEvent(new PointerEvent("pointerdown", { clientX }));
            """
        )
        assert page.text("#where") == "step 8 of 15, epoch 2"

    def test_two_runs_share_the_slider(self, browser, tmp_path):
        long, _ = trained(rate=0.05, label="quick")
        short, _ = trained(rate=0.001, label="slow", epochs=1)
        page = self.opened(browser, tmp_path, long, short)
        assert [title.text for title in page.all("h2")] == ["quick", "slow"]
        assert page.text("#where") == "step 15 of 15, epoch 3"
        losses = [title.text for title in page.all(".curve .figure")][::2]
        page.click("#first")
        assert [title.text for title in page.all(".curve .figure")][::2] != losses
        tops = [section.rect["y"] for section in page.all("section")]
        assert tops[0] == tops[1]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 800, 1400])
    def test_fits_every_screen(self, browser, tmp_path, width, scheme):
        page = self.opened(browser, tmp_path, trained()[0], width=width, scheme=scheme)
        assert page.run("return document.documentElement.scrollWidth") <= width
        ground = page.find("body").value_of_css_property("background-color")
        assert (sum(int(n) for n in ground.strip("rgba()").split(",")[:3]) > 380) is (
            scheme == "light"
        )

    def test_hostile_labels_stay_text(self, browser, tmp_path):
        hostile = "</script><img src=x onerror=\"document.title='broken'\"><b>"
        frame = pd.DataFrame(X, columns=[hostile, "<i>b</i>"])
        page = self.opened(browser, tmp_path, trained(x=frame, label=hostile)[0])
        assert page.text("h2") == page.driver.title == hostile
        assert page.all("img") == page.all("main b") == page.all("main i i") == []

    def test_diverged_figures_and_several_classes_are_drawn(self, browser, tmp_path):
        with np.errstate(all="ignore"):
            bad, _ = trained(Sequential([Dense(2), Dense(1)]), y=X[:, 0], loss="mse", rate=1e300)
        x, y = nn.datasets.spirals(40, classes=3, seed=0)
        three, _ = trained(
            Sequential([Dense(3, "softmax")]), x, y, "sparse_categorical_crossentropy"
        )
        page = self.opened(browser, tmp_path, bad, three)
        assert page.all(".curve .figure")[0].text.startswith("Loss no number")
        assert len(page.all(".curve")) == 1 + 2  # figures have no accuracy
        grey = self.colour(page, "section:first-of-type .axes canvas", 0.02, 0.02)
        assert grey[:3] == [0x9A, 0xA3, 0xAB]
        assert "class 2" in page.text("#legend")

    def test_in_a_frame_of_a_notebook(self, browser, tmp_path):
        path = tmp_path / "notebook.html"
        path.write_text(f"<!doctype html><title>n</title>{trained()[0]._repr_html_()}", "utf-8")
        browser.open(path)
        browser.driver.switch_to.frame(0)
        self.wait(browser, "document.documentElement.dataset.ready")
        assert browser.text("#where") == "step 15 of 15, epoch 3"
        browser.driver.switch_to.default_content()
